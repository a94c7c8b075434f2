import { setTimeout as sleep } from 'node:timers/promises'

const LOOK_MS = 50

/** Looks until something is there. @returns null where it is not in time */
export async function eventually<T>(
  withinMs: number,
  look: () => Promise<T | null | undefined> | T | null | undefined,
): Promise<T | null> {
  const end = performance.now() + withinMs
  for (;;) {
    const seen = await look()
    if (seen !== null && seen !== undefined) return seen
    if (performance.now() > end) return null
    await sleep(LOOK_MS)
  }
}

export const pause = (ms: number): Promise<void> => sleep(ms)

/** @returns whether something came to be true in time */
export async function comesTrue(withinMs: number, look: () => boolean): Promise<boolean> {
  return (await eventually(withinMs, () => look() || null)) === true
}
