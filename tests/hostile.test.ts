import { describe, expect, test } from 'vitest'
import { BATCH, hunt, SIDES } from './hostile/hunt.ts'

const REQUESTS = 2000
const SEED = 20_260_101

/** `npm run hostile` is the same with more requests and other seeds. */
describe.each(Object.entries(SIDES))('hostile requests to the %s', (name, open) => {
  test('are never an error of ours, say what is wrong, and change nothing (SV-13, CR-14)', async () => {
    const statuses = new Map<number, number>()
    for (let seed = SEED; seed < SEED + REQUESTS / BATCH; seed++) {
      const batch = await hunt(open, seed, BATCH, 'sqlite::memory:')
      expect(batch.violations, `npm run hostile -- --side ${name} --seed ${seed} --count ${BATCH}`).toEqual(
        [],
      )
      for (const [status, times] of batch.statuses) statuses.set(status, (statuses.get(status) ?? 0) + times)
    }
    // They come as far as they are meant to: some are read, some refused for what they hold, some for what they are.
    for (const status of [200, 400, 404, 405]) expect(statuses.get(status) ?? 0).toBeGreaterThan(20)
  }, 180_000)
})
