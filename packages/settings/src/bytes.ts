const UNITS: { readonly [unit: string]: number } = {
  TB: 1000 ** 4,
  GB: 1000 ** 3,
  MB: 1000 ** 2,
  KB: 1000,
  B: 1,
}

/** Bytes of `500MB`, `1.5GB`, `0`; units are decimal, as disks are sold and `df -H` shows them. Null: none of these. */
export function parseBytes(text: string): number | null {
  if (text === '0') return 0
  const match = /^(\d+(?:\.\d+)?)(B|KB|MB|GB|TB)$/.exec(text.trim())
  if (!match) return null
  const bytes = Math.round(Number(match[1]) * (UNITS[match[2] ?? ''] ?? Number.NaN))
  return Number.isSafeInteger(bytes) ? bytes : null
}

/** The shortest exact form, which can be read back: 1500000 → `1500KB`. */
export function formatBytes(bytes: number): string {
  for (const [unit, size] of Object.entries(UNITS)) {
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`
  }
  return '0'
}

/** A measured size for people, rounded down to a tenth of its unit: 1264000000 → `1.2GB`. */
export function roughBytes(bytes: number): string {
  for (const [unit, size] of Object.entries(UNITS)) {
    if (bytes >= size) return `${Math.floor((10 * bytes) / size) / 10}${unit}`
  }
  return '0'
}
