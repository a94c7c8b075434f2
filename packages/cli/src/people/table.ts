/** Columns of text under their heads, with two spaces between; the last one is not padded. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [heads, ...rows]
  const widths = heads.map((_, at) => Math.max(...all.map((row) => row[at]?.length ?? 0)))
  return all.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

/** `2026-11-24 12:50:11Z` of an ISO date; the same text where it is none. */
export function shortTime(iso: string): string {
  return iso.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?Z$/, '$1 $2Z')
}

/** What is left of a list that was cut, in words; none where it is whole. */
export function more(shown: number, count: number): string[] {
  return count > shown ? [`${shown} of ${count}; --limit ${Math.min(1000, count)} shows more`] : []
}
