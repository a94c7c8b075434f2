import { absoluteText, clockOrDateText, relativeText } from '../times.ts'
import { useNow } from './now.ts'

/**
 * A moment as one reads it, with the exact time on hovering.
 * @param form `relative`: how long ago; `clock`: the time of day, for histories where the order of things matters
 */
export function TimeText({
  at,
  form = 'relative',
}: {
  readonly at: string
  readonly form?: 'relative' | 'clock'
}) {
  const now = useNow('slow')
  const ms = Date.parse(at)
  const relative = relativeText(ms, notBefore(now, ms))
  return (
    <time dateTime={at} title={`${absoluteText(ms)}, ${relative}`} className="nowrap">
      {form === 'clock' ? clockOrDateText(ms, now) : relative}
    </time>
  )
}

// The slow clock is up to ten seconds behind: what is newer than it has just happened, and is not to come.
const SLOW_MS = 12 * 1000

function notBefore(now: number, at: number): number {
  return at > now && at - now < SLOW_MS ? at : now
}
