/** What is after the `?` of a page: plain texts, as people write and read them. */
export type Search = Readonly<Record<string, string>>

/** Plain instead of JSON, so that `?name=12` is the text 12. Pure. */
export function parseSearch(text: string): Record<string, string> {
  const entries = [...new URLSearchParams(text)].filter(
    ([name, value]) => name !== '__proto__' && value !== '',
  )
  return Object.fromEntries(entries)
}

/** What is absent or empty is left out. Pure. */
export function stringifySearch(search: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(search).filter(
    ([, value]) => value !== undefined && value !== null && value !== '',
  )
  const text = new URLSearchParams(entries.map(([name, value]) => [name, String(value)])).toString()
  return text === '' ? '' : `?${text}`
}

/** Only the names that a page knows, each as a text that is not empty. Pure. */
export function only<Name extends string>(
  search: Readonly<Record<string, unknown>>,
  names: readonly Name[],
): { [name in Name]?: string } {
  const found = names.flatMap((name) => {
    const value = search[name]
    return typeof value === 'string' && value !== '' ? [[name, value] as const] : []
  })
  return Object.fromEntries(found) as { [name in Name]?: string }
}

/** The offset of a page; garbage is the first page. Pure. */
export function offsetOf(text: string | undefined): number {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : 0
}
