const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** A length of time in at most two units: `45 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. Pure. */
export function lengthText(ms: number): string {
  const whole = Math.max(0, ms)
  if (whole < SECOND) return whole === 0 ? '0 s' : '< 1 s'
  if (whole < MINUTE) return `${Math.floor(whole / SECOND)} s`
  if (whole < HOUR) return two(whole, [MINUTE, 'min'], [SECOND, 's'])
  // As `relativeText`, so that the same length has the same words wherever it stands.
  if (whole < 2 * DAY) return two(whole, [HOUR, 'h'], [MINUTE, 'min'])
  return two(whole, [DAY, 'd'], [HOUR, 'h'])
}

type Unit = readonly [ms: number, name: string]

function two(ms: number, [large, largeName]: Unit, [small, smallName]: Unit): string {
  const rest = Math.floor((ms % large) / small)
  const first = `${Math.floor(ms / large)} ${largeName}`
  return rest === 0 ? first : `${first} ${rest} ${smallName}`
}

/** How long ago, or in how long, in one unit: `just now`, `5 min ago`, `in 3 h`. Pure. */
export function relativeText(at: number, now: number): string {
  const distance = Math.abs(now - at)
  if (distance < 5 * SECOND) return at > now ? 'in a moment' : 'just now'
  const text = oneUnit(distance)
  return at > now ? `in ${text}` : `${text} ago`
}

function oneUnit(ms: number): string {
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`
  return ms < 2 * DAY ? `${Math.floor(ms / HOUR)} h` : `${Math.floor(ms / DAY)} d`
}

/** A moment with date, time to the second, and zone, for hovering and for logs. */
export function absoluteText(at: number): string {
  return new Date(at).toLocaleString('en-GB', {
    year: 'numeric',
    month: 'short',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
  })
}

/** The time of day; of another day the date too. */
export function clockOrDateText(at: number, now: number): string {
  const isToday = new Date(at).toDateString() === new Date(now).toDateString()
  const day = new Date(at).toLocaleDateString('en-GB', { day: '2-digit', month: 'short', year: 'numeric' })
  return isToday ? clockText(at) : `${day}, ${clockText(at)}`
}

/** The time of day to the second. */
export function clockText(at: number): string {
  return new Date(at).toLocaleTimeString('en-GB')
}
