const MOST_CHARS = 120
const MOST_DEPTH = 3

/** One field of what was asked for. */
export interface DetailField {
  readonly name: string
  readonly text: string
  /** The beginning of a text that is too long for its line; null where all of it fits. */
  readonly head: string | null
}

/** What was asked for, field by field: the method, and then what was sent (CR-44). Pure. */
export function detailFields(detail: unknown): readonly DetailField[] {
  if (detail === null || detail === undefined) return []
  if (!isObject(detail)) return [field('asked for', detail)]
  // The coordinator keeps the length alone of what is longer than a trail should have to hold.
  if (typeof detail['tooLong'] === 'number')
    return [field('not kept', `${detail['tooLong'].toLocaleString('en')} characters`)]
  return Object.entries(detail).flatMap(([name, value]) =>
    name === 'body' && isObject(value)
      ? Object.entries(value).map(([inner, one]) => field(inner, one))
      : [field(name, value)],
  )
}

function field(name: string, value: unknown): DetailField {
  const text = compact(value, 0)
  return { name, text, head: headOf(text) }
}

function headOf(text: string): string | null {
  // By whole characters: half of one would be drawn as a question mark.
  const line = Array.from(text.replaceAll(/\s+/g, ' '))
  const isWhole = line.length <= MOST_CHARS && !text.trimEnd().includes('\n')
  return isWhole ? null : `${line.slice(0, MOST_CHARS).join('').trimEnd()} …`
}

/** Quoted is only what would else not be seen, or be read as something else. */
function compact(value: unknown, depth: number): string {
  if (typeof value === 'string') return value.trim() === '' ? JSON.stringify(value) : value
  if (value === null || typeof value !== 'object') return String(value)
  if (depth === MOST_DEPTH) return JSON.stringify(value)
  return Array.isArray(value) ? listText(value, depth) : objectText(Object.entries(value), depth)
}

function listText(values: readonly unknown[], depth: number): string {
  const text = values.map((one) => compact(one, depth + 1)).join(', ')
  return depth > 0 || values.length === 0 ? `[${text}]` : text
}

function objectText(entries: readonly (readonly [string, unknown])[], depth: number): string {
  const text = entries.map(([name, value]) => `${name}: ${compact(value, depth + 1)}`).join(', ')
  return depth > 0 || entries.length === 0 ? `{${text}}` : text
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
