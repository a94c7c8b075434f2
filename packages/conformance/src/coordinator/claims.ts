import type { Findings, Level } from '../finding.ts'
import { inWords, type Told } from '../told.ts'
import { pause } from '../waiting.ts'
import type { Release } from './release.ts'
import type { ServiceStandIn } from './stand-in.ts'

/** For what must not happen: by then it would have. */
const QUIET_MS = 600

export const settle = (): Promise<void> => pause(QUIET_MS)

export interface StateClaim {
  readonly rule: string
  readonly claim: string
  readonly level?: Level
}

/** @returns whether the release got there */
export async function expectReaches(
  findings: Findings,
  release: Release,
  goal: string,
  { rule, claim, level = 'must' }: StateClaim,
): Promise<boolean> {
  const state = await release.reaches([goal])
  const found = state === goal ? '' : `the release is ${await release.state()}`
  findings[level](rule, claim, state === goal, found)
  return state === goal
}

/** Nothing moves the release, or the task that is named, for a while. */
export async function expectStays(
  findings: Findings,
  release: Release,
  wanted: { readonly release: string; readonly task?: { readonly id: string; readonly state: string } },
  { rule, claim, level = 'must' }: StateClaim,
): Promise<void> {
  await settle()
  const state = await release.state()
  const task = wanted.task ? (await release.task(wanted.task.id)).state : undefined
  const holds = state === wanted.release && task === wanted.task?.state
  const found = `the release is ${state}${task === undefined ? '' : `, the task ${task}`}`
  findings[level](rule, claim, holds, found)
}

/** A refusal that is no error of the coordinator's own, and has the code of the contract. */
export function expectRefused(
  findings: Findings,
  { what, told, codes, rule }: { what: string; told: Told; codes: readonly number[]; rule: string },
): void {
  const isRefused = told.code >= 400 && told.code < 500
  findings.must(rule, `${what}: is refused, and is no error of the coordinator`, isRefused, inWords(told))
  findings.should(
    rule,
    `${what}: is answered ${codes.join(' or ')}`,
    codes.includes(told.code),
    inWords(told),
  )
}

export const isNoFault = ({ code }: Told): boolean => code >= 200 && code < 500

/** What a service was told, in words. */
export const told = (service: ServiceStandIn, release: Release): string =>
  `${service.name} was told ${service.actions(release.id).join(', ') || 'nothing'}`
