const UNITS: { readonly [unit: string]: number } = {
  ms: 1,
  s: 1000,
  m: 60 * 1000,
  h: 60 * 60 * 1000,
  d: 24 * 60 * 60 * 1000,
}

/** Milliseconds of `250ms`, `30s`, `10m`, `1h`, `2d` or `0`; null where it is none of them. */
export function parseDuration(text: string): number | null {
  if (text === '0') return 0
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim())
  if (!match) return null
  return Math.round(Number(match[1]) * (UNITS[match[2] ?? ''] ?? Number.NaN))
}

/** The shortest exact form, for people: 90000 → `90s`, 3600000 → `1h`. */
export function formatDuration(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's']) {
    const size = UNITS[unit] ?? 1
    if (ms >= size && ms % size === 0) return `${ms / size}${unit}`
  }
  return ms === 0 ? '0' : `${ms}ms`
}
