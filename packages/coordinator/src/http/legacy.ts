import { lookup } from 'node:dns/promises'
import { BlockList, isIPv6 } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Permission } from '@release-task/auth'
import { TransportError, type Answer, type FastifyRequest } from '@release-task/http'
import type { Command } from '../decision.ts'
import { objectOf, wordOf } from '../delivery.ts'
import type { Executed } from '../execute.ts'
import type { ListedTask } from '../store.ts'
import { reportedBy } from './asked.ts'
import type { HttpDependencies } from './dependencies.ts'
import { createQuestions } from './questions.ts'

/** What changes the task while its service is asked makes the answer worthless; then it is asked again. */
const MOST_QUESTIONS = 3
const CLOCK_MOVES_MS = 2

export type Report = Extract<Command, { type: 'report' }>

/** What a service says without a token. */
export type TakeHint = (
  request: FastifyRequest,
  listed: ListedTask,
  report: Report,
) => Promise<Executed | null>

/**
 * Whether a request without a token is let through as a hint (AU-10): its task's service is one of LEGACY_SERVICES. A
 * token that is not accepted stays 403, which is what makes its sender get another one.
 */
export async function isHint(
  { legacyServices, releases, services }: HttpDependencies,
  permission: Permission,
  request: FastifyRequest,
): Promise<boolean> {
  if (legacyServices.length === 0 || permission !== 'task.report' || request.headers.authorization)
    return false
  const { id = '' } = request.params as { id?: string }
  const releaseId = await releases.releaseOf(id)
  const release = releaseId && (await releases.get(releaseId))
  const task = release && release.tasks.find((one) => one.id === id)
  const service = task && (await services.get(task.serviceId))
  return !!service && legacyServices.some((one) => isSameAddress(one, service.url))
}

/** The host in any letter case, the default port written or not, with or without a slash at the end. */
export function isSameAddress(one: string, other: string): boolean {
  return URL.canParse(one) && URL.canParse(other) && plain(one) === plain(other)
}

function plain(url: string): string {
  return new URL(url).href.replace(/\/+$/, '')
}

/**
 * Takes hints (AU-10): the service itself is asked, and what it answers is stored as a poll would be. Only where it
 * cannot answer and the hint comes from its own address is the hint believed.
 */
export function createHints(deps: HttpDependencies): TakeHint {
  const ask = createQuestions((listed: ListedTask) => question(deps, listed))
  return async (request, listed, report) => {
    for (let tries = 0; tries < MOST_QUESTIONS; tries++) {
      const { answer, askedAt } = await ask(listed)
      if (answer && answer.status >= 500) return believe(deps, request, { listed, report })
      const body = answer?.status === 200 ? objectOf(answer) : null
      if (!body) return null
      const poll = { type: 'poll', taskId: listed.task.id, askedAt, ...wordOf(body) } as const
      const executed = await deps.execute(listed.releaseId, poll)
      if (executed.decision.kind !== 'unchanged' || !isNewer(executed, listed, askedAt)) return executed
      // A question of the same millisecond as what changed the task would count as older than it again.
      await sleep(CLOCK_MOVES_MS)
    }
    return null
  }
}

/** An answer that was dropped because the task changed since the question (RC-15): services of old report but once. */
function isNewer({ record }: Executed, { task }: ListedTask, askedAt: number): boolean {
  const present = record?.tasks.find((one) => one.id === task.id)
  return present !== undefined && present.lastActivityAt >= askedAt
}

interface Asked {
  /** The database's clock before the question. */
  readonly askedAt: number
  /** Null where none came. */
  readonly answer: Answer | null
}

async function question(deps: HttpDependencies, { releaseId, task }: ListedTask): Promise<Asked> {
  const { now: askedAt } = await deps.releases.load(releaseId)
  try {
    return { askedAt, answer: await deps.askTask({ releaseId, taskId: task.id }) }
  } catch (error) {
    if (error instanceof TransportError) return { askedAt, answer: null }
    throw error
  }
}

async function believe(
  deps: HttpDependencies,
  request: FastifyRequest,
  { listed, report }: { readonly listed: ListedTask; readonly report: Report },
): Promise<Executed | null> {
  const service = await deps.services.get(listed.task.serviceId)
  if (!service || !(await comesFrom(request.ip, service.url))) return null
  return deps.execute(listed.releaseId, { ...report, unconfirmed: true }, reportedBy(request))
}

/** Whether an address is one of those that the host of a URL has now. */
async function comesFrom(address: string, url: string): Promise<boolean> {
  const host = new URL(url).hostname.replace(/^\[(.*)\]$/, '$1')
  const found = await lookup(host, { all: true }).catch(() => [])
  const addresses = new BlockList()
  for (const one of found) addresses.addAddress(one.address, one.family === 6 ? 'ipv6' : 'ipv4')
  // The list knows an IPv4 address also in the form that it has on a socket of both families.
  return addresses.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}
