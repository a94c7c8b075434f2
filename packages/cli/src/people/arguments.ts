import { readFileSync } from 'node:fs'
import { isId, type IdPrefix } from '@release-task/protocol'
import { httpUrl, INVALID, parseDuration } from '@release-task/settings'
import { InvalidArgumentError } from 'commander'

const WHAT: { readonly [prefix in IdPrefix]: string } = {
  RE: 'release',
  TA: 'task',
  TS: 'task service',
  SD: 'study',
  EV: 'event',
  RN: 'release note',
}

/** Reads the id of one kind of thing, and names it where it is none. A path has no room for `/` and `.` (ID-6). */
export function idOf(prefix: IdPrefix): (text: string) => string {
  return (text) => {
    if (isId(prefix, text) && !/[/.\s]/.test(text)) return text
    throw new InvalidArgumentError(
      `It must be the id of a ${WHAT[prefix]}: ${prefix}_ and 8 letters or digits.`,
    )
  }
}

/** The same for an option that may be given several times. */
export function idsOf(prefix: IdPrefix): (text: string, before: readonly string[] | undefined) => string[] {
  const one = idOf(prefix)
  return (text, before = []) => [...before, one(text)]
}

export const texts = (text: string, before: readonly string[] | undefined): string[] => [
  ...(before ?? []),
  text,
]

/** Milliseconds of `30m`, as durations are written everywhere. */
export function duration(text: string): number {
  const ms = parseDuration(text)
  if (ms !== null) return ms
  throw new InvalidArgumentError('It must be a duration such as 30s, 10m or 1h.')
}

const MOST_ROWS = 1000 // the coordinator gives no more at once (CR-10)

export function limit(text: string): number {
  const number = Number(text)
  if (Number.isInteger(number) && number >= 1 && number <= MOST_ROWS) return number
  throw new InvalidArgumentError(`It must be a whole number, 1 to ${MOST_ROWS}.`)
}

/** An address without a slash at its end. */
export function address(text: string): string {
  const url = httpUrl('', null, '').parse(text)
  if (url !== INVALID && url !== null) return url
  throw new InvalidArgumentError('It must be an http:// or https:// address.')
}

/** A text as it is written, or with `@` before it the content of that file. */
export function textOrFile(text: string): string {
  if (!text.startsWith('@')) return text
  try {
    return readFileSync(text.slice(1), 'utf8').trimEnd()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new InvalidArgumentError(`The file ${text.slice(1)} cannot be read (${code}).`)
  }
}
