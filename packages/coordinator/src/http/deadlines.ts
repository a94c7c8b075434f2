import { formatDuration, parseDuration } from '@release-task/settings'
import { z } from 'zod'
import type { Deadline } from '../decide-deadlines.ts'
import { DEADLINES, NO_DEADLINES, type DeadlineName, type Deadlines } from '../record.ts'
import { datetime } from './links.ts'

const MOST_MS = 365 * 24 * 60 * 60 * 1000 // a year

const isName = (name: string): name is DeadlineName => (DEADLINES as readonly string[]).includes(name)

const msOf = (length: unknown): number | null => (typeof length === 'string' ? parseDuration(length) : null)

/** What is wrong with one deadline of a body; null: nothing. */
function problemOf(name: string, length: unknown): string | null {
  if (!isName(name)) return `Unknown deadline. Deadlines are ${DEADLINES.join(', ')}.`
  if (length === null) return null
  const ms = msOf(length)
  if (ms === null) return `${JSON.stringify(length)} is not a duration such as 30s, 10m or 1h, and not null.`
  return ms >= 1 && ms <= MOST_MS ? null : 'Ensure this duration is longer than 0 and at most 365d.'
}

/** A service's own deadlines, those that are given (CR-28); null takes all of them away, one that is null that one. */
export const deadlines = z.unknown().transform((given, context): Partial<Deadlines> => {
  if (given === null) return NO_DEADLINES
  if (typeof given !== 'object' || Array.isArray(given)) {
    context.addIssue({ code: 'custom', message: `Expected an object with any of ${DEADLINES.join(', ')}.` })
    return z.NEVER
  }
  const entries = Object.entries(given as Record<string, unknown>)
  for (const [name, length] of entries) {
    const message = problemOf(name, length)
    if (message !== null) context.addIssue({ code: 'custom', path: [name], message })
  }
  return Object.fromEntries(entries.map(([name, length]) => [name, msOf(length)]))
})

/** As they were given: `30m`, or null where the setting counts. */
export function deadlineTexts(own: Deadlines): Record<DeadlineName, string | null> {
  return byName((name) => textOf(own[name]))
}

const textOf = (ms: number | null): string | null => (ms === null ? null : formatDuration(ms))

/** The same of those that a request gave. */
export function givenTexts(given: Partial<Deadlines>): Record<string, string | null> {
  return Object.fromEntries(Object.entries(given).map(([name, ms]) => [name, textOf(ms)]))
}

/** For each deadline of a task that runs now: when it ends, and the time that is left (CR-23). */
export function deadlinesView(running: readonly Deadline[], now: number) {
  return byName((name) => {
    const one = running.find((deadline) => deadline.name === name)
    return one ? { ends_at: datetime(one.endsAt), left_ms: Math.max(0, one.endsAt - now) } : null
  })
}

function byName<T>(of: (name: DeadlineName) => T): Record<DeadlineName, T> {
  return { accept: of('accept'), silence: of('silence'), total: of('total') }
}
