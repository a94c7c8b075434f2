import { stripVTControlCharacters } from 'node:util'

// oxlint-disable-next-line no-control-regex -- what could move the cursor is what is looked for
const CONTROL = /[\u0000-\u001F\u007F-\u009F]+/g

/**
 * The same document with every text in one line and without what a terminal would obey: names, messages and errors are
 * written by others.
 */
export function printable<T>(document: T): T {
  if (typeof document === 'string')
    return stripVTControlCharacters(document).replaceAll(CONTROL, ' ').trim() as T
  if (Array.isArray(document)) return document.map((one: unknown) => printable(one)) as T
  if (typeof document !== 'object' || document === null) return document
  return Object.fromEntries(Object.entries(document).map(([key, value]) => [key, printable(value)])) as T
}
