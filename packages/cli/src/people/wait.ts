import { formatDuration } from '@release-task/settings'
import type { Desk } from './desk.ts'
import type { Release } from './documents.ts'
import { CommandError } from './errors.ts'
import { EXIT } from './exit-codes.ts'
import { looksAt } from './looks.ts'
import { verdictOf, type Verdict, type Wanted } from './reached.ts'
import { releaseSentence } from './sentences.ts'
import { createLines, createStatus } from './terminal.ts'
import { createOutage } from './watch.ts'

const LOOK_MS = 3 * 1000 // 3 s

export interface Waited {
  readonly id: string
  readonly wanted: Wanted
  readonly timeoutMs: number
}

/** How a wait ended; the last look at the release, null where there was none. */
export interface End {
  readonly verdict: Verdict
  readonly release: Release | null
  readonly trouble: CommandError | null
}

/**
 * `releases wait`: returns when a release is where it is waited for, or cannot come there any more, or the time is
 * over. It only reads, and goes on over restarts of the coordinator.
 * @throws CommandError for every end but the one that was waited for
 */
export async function wait(desk: Desk, waited: Waited): Promise<number> {
  const end = await endOf(desk, waited)
  if (end.release !== null || desk.json)
    desk.print(documentOf(end, waited), ({ kf_id, state }) => [`${kf_id} ${state}`])
  const error = errorOf(end, waited)
  if (error !== null) throw error
  return EXIT.done
}

async function endOf({ coordinator: side, json }: Desk, { id, wanted, timeoutMs }: Waited): Promise<End> {
  const endsAt = performance.now() + timeoutMs
  // The answer alone goes to stdout.
  const status = json ? null : (createStatus(process.stderr) ?? createLines(process.stderr))
  const say = (text: string) => (status === null ? json || console.error(text) : status.line(text))
  if (status !== null) say(`waiting until ${id} is ${wanted}, for at most ${formatDuration(timeoutMs)}`)
  const outage = createOutage(say)
  let end: End = { verdict: 'underway', release: null, trouble: null }
  const { signal } = new AbortController()
  try {
    const leftMs = () => endsAt - performance.now()
    for await (const look of looksAt({ side, id, signal, everyMs: LOOK_MS, leftMs })) {
      end = seen(end, look, wanted)
      outage(end.trouble)
      if (end.release !== null) status?.show(end.release)
      if (end.verdict !== 'underway') break
    }
    return end
  } finally {
    status?.end()
  }
}

function seen(
  before: End,
  look: { readonly release?: Release; readonly trouble?: CommandError },
  wanted: Wanted,
): End {
  if (look.release === undefined) return { ...before, trouble: look.trouble ?? null }
  return { verdict: verdictOf(look.release.state, wanted), release: look.release, trouble: null }
}

function documentOf({ verdict, release }: End, { id, wanted }: Waited) {
  const { kf_id, state, version, reason } = release ?? { kf_id: id, state: null, version: null, reason: null }
  return { kf_id, state, version, reason, waited_for: wanted, reached: verdict === 'reached' }
}

/** The error of an end that is not the one that was waited for; null for that one. */
export function errorOf(
  { verdict, release, trouble }: End,
  { id, wanted, timeoutMs }: Waited,
): CommandError | null {
  const why = `release-task releases why ${id}`
  const sentence = release === null ? '' : withoutEnd(releaseSentence(release))
  if (verdict === 'reached') return null
  if (verdict === 'failed') return new CommandError('RELEASE_FAILED', sentence, why)
  if (verdict === 'canceled') return new CommandError('RELEASE_CANCELED', sentence, why)
  if (verdict === 'other end')
    return new CommandError(
      'OTHER_END',
      `${sentence}, and will not be ${wanted}`,
      `release-task releases show ${id}`,
    )
  // It was never there: that is no release that takes long.
  if (release === null && trouble !== null) return trouble
  const last = trouble === null ? sentence : `${sentence}, as last seen: ${trouble.message}`
  return new CommandError('TIMED_OUT', `Not ${wanted} within ${formatDuration(timeoutMs)}: ${last}`, why)
}

const withoutEnd = (sentence: string): string => sentence.replace(/\.$/, '')
