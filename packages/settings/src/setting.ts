import { parseBytes } from './bytes.ts'
import { parseDuration } from './duration.ts'

/** One setting: the single home of its name, form, default and description (`--help`, docs and errors read it). */
export interface Setting<T> {
  readonly name: string
  /** As it would be written in the environment; null: no value unless set. */
  readonly default: string | null
  readonly about: string
  /** What a value looks like, for messages and docs. */
  readonly form: string
  parse(text: string): T | Invalid
}

/** The value returned by a parser that refuses. */
export const INVALID = Symbol('invalid')
export type Invalid = typeof INVALID

export type SettingsTable = { readonly [key: string]: Setting<unknown> }
export type SettingsOf<Table extends SettingsTable> = {
  readonly [K in keyof Table]: Table[K] extends Setting<infer T> ? T : never
}
export type Environment = { readonly [name: string]: string | undefined }

/** Thrown at start: names every wrong setting at once, its value and the expected form. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError'
  readonly code = 'SETTINGS_INVALID'
}

/**
 * Reads a table of settings. An empty text counts as not set, as compose files write it.
 * @throws SettingsError that names every setting that is wrong
 */
export function readSettings<Table extends SettingsTable>(table: Table, env: Environment): SettingsOf<Table> {
  const values: Record<string, unknown> = {}
  const problems: string[] = []
  for (const [key, setting] of Object.entries(table)) {
    const text = env[setting.name] || setting.default
    const value = text === null ? null : setting.parse(text)
    if (value === INVALID) problems.push(`${setting.name}=${text} is not ${setting.form}`)
    values[key] = value
  }
  if (problems.length > 0) throw new SettingsError(`Cannot read the settings: ${problems.join('; ')}`)
  return values as SettingsOf<Table>
}

type Maker<T> = {
  (name: string, defaultText: string, about: string): Setting<T>
  (name: string, defaultText: null, about: string): Setting<T | null>
}

function maker<T>(form: string, parse: (text: string) => T | Invalid): Maker<T> {
  // One function for both signatures: whether there is a value always is decided by the default alone.
  const make = (name: string, defaultText: string | null, about: string): Setting<any> => ({
    name,
    default: defaultText,
    about,
    form,
    parse,
  })
  return make
}

/** Any text. */
export const text = maker<string>('a text', (value) => value)

/** A whole number from `min`. */
export function count(min: number): Maker<number> {
  return maker<number>(`a whole number from ${min}`, (value) => {
    const number = Number(value)
    return Number.isInteger(number) && number >= min ? number : INVALID
  })
}

/** A TCP port; 0 lets the system choose. */
export const port = maker<number>('a port (0 to 65535)', (value) => {
  const number = Number(value)
  return Number.isInteger(number) && number >= 0 && number <= 65535 ? number : INVALID
})

/** Milliseconds, written as `30s` or `10m`. */
export const duration = maker<number>('a duration such as 30s, 10m or 1h', (value) => {
  return parseDuration(value) ?? INVALID
})

/** Bytes, written as `500MB` or `1GB`. */
export const bytes = maker<number>('a size such as 500MB, 1GB or 0', (value) => {
  return parseBytes(value) ?? INVALID
})

/** An http or https address, kept without a trailing slash. */
export const httpUrl = maker<string>('an http:// or https:// address', (value) => {
  const url = URL.canParse(value) ? new URL(value) : null
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') return INVALID
  return value.replace(/\/+$/, '')
})

/** Origins of web pages, with commas between them: exactly as a browser sends them, without path and slash. */
export const origins = maker<readonly string[]>('a list of origins such as https://host:8443', (value) => {
  const list = value.split(',').map((item) => item.trim())
  const isOrigin = (item: string) =>
    /^https?:/.test(item) && URL.canParse(item) && new URL(item).origin === item
  return list.every(isOrigin) ? list : INVALID
})

/** One of a few words. */
export function choice<const Words extends readonly string[]>(words: Words): Maker<Words[number]> {
  return maker<Words[number]>(`one of ${words.join(', ')}`, (value) =>
    words.includes(value) ? value : INVALID,
  )
}
