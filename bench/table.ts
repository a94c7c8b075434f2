/** One figure: what it is, what it came to, and what it was to reach. */
export interface Row {
  readonly what: string
  readonly value: string
  readonly reach: string
  /** null: a figure without a mark to reach. */
  readonly reached: boolean | null
}

const mark = (row: Row): string => (row.reached === null ? '' : row.reached ? 'yes' : 'NO')

/** For people on a terminal, and for docs/performance.md. */
export function markdownTable(rows: readonly Row[]): string {
  const cells = rows.map((row) => `| ${row.what} | ${row.value} | ${row.reach} | ${mark(row)} |`)
  return ['| figure | this run | to reach | reached |', '|---|---|---|---|', ...cells].join('\n')
}
