interface Round<K, T> {
  readonly keys: K[]
  readonly found: Promise<ReadonlyMap<K, T>>
}

/**
 * Reads together what is asked for at the same moment, and each thing once: a list of a hundred rows with one neighbour
 * each is two questions to the database, not a hundred and one.
 */
export function batched<K, T>(
  read: (keys: readonly K[]) => Promise<ReadonlyMap<K, T>>,
): (key: K) => Promise<T | undefined> {
  const known = new Map<K, Promise<T | undefined>>()
  let next: Round<K, T> | null = null
  const begin = (): Round<K, T> => {
    const keys: K[] = []
    const moment = new Promise<void>((resolve) => void setImmediate(resolve))
    const found = moment.then(() => {
      next = null
      return read(keys)
    })
    return { keys, found }
  }
  return (key) => {
    const there = known.get(key)
    if (there) return there
    next ??= begin()
    next.keys.push(key)
    const answer = next.found.then((found) => found.get(key))
    known.set(key, answer)
    return answer
  }
}
