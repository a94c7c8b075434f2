import type { Store } from './session.ts'

const KEY = 'release-dashboard.reloaded'
const AGAIN_MS = 60 * 1000 // 1 min: a page that finds the same trouble so soon again is not helped by a third try

/** A file of the page could not be had: most likely a newer version took its place. */
export class PartMissing extends Error {
  override readonly name = 'PartMissing'
}

/** A part of the page that is fetched when it is needed. It fails with `PartMissing`. */
export function part<T>(load: () => Promise<T>): () => Promise<T> {
  return () =>
    load().catch((cause: unknown) => {
      throw new PartMissing('A part of this page could not be loaded.', { cause })
    })
}

/** Whether a page that misses a part of itself is loaded anew: once, and not over and over. */
export function mayReload(store: Store, now: number): boolean {
  const last = Number(store.getItem(KEY) ?? Number.NaN)
  if (now - last < AGAIN_MS) return false
  store.setItem(KEY, String(now))
  return true
}
