/**
 * Whether a value is nested deeper than `most` levels; `{}` is one. Level by level: what is nested too deep for the
 * stack is what this is for.
 */
export function isDeeperThan(value: unknown, most: number): boolean {
  let level: object[] = [value].filter(isObject)
  for (let depth = 0; level.length > 0; depth++) {
    if (depth === most) return true
    level = level.flatMap((one) => Object.values(one).filter(isObject))
  }
  return false
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
