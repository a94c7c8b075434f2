/** A repeatable source of chance: the same seed gives the same sequence, on every machine. */
export interface Random {
  /** In [0, 1). */
  next(): number
  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number
  chance(probability: number): boolean
  pick<const T>(from: readonly T[]): T
  /** Hexadecimal digits, in eights. */
  hex(eights: number): string
}

/** A xorshift generator of 32 bits: enough for sample data, never for secrets. */
export function seededRandom(seed: string): Random {
  let state = hashOf(seed) || 1 // from 0 it would never get away
  const bits = (): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
  const next = () => bits() / 2 ** 32
  const below = (limit: number) => Math.floor(next() * limit)
  return {
    next,
    below,
    chance: (probability) => next() < probability,
    pick: <const T>(from: readonly T[]) => from[below(from.length)] as T,
    hex: (eights) => Array.from({ length: eights }, () => bits().toString(16).padStart(8, '0')).join(''),
  }
}

/** FNV-1a: seeds that differ in one letter start far apart. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}
