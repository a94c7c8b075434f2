import { absent } from '@release-task/test-servers'
import { afterEach, describe, expect, test } from 'vitest'
import { Fleet, overlaps } from './fleet.fixture.ts'
import { call, until } from './processes.fixture.ts'

const MANY = 200

let fleet: Fleet
afterEach(() => fleet.end())

const ended = (state: string) => async () =>
  (await call('GET', `${fleet.coordinator}/releases?state=${state}&limit=1`)).body.count as number
const all = (count: number) => (seen: number) => seen === count

describe.skipIf(absent('postgresql') || absent('redis'))(
  'two APIs, three workers, Redis and PostgreSQL',
  () => {
    test(`${MANY} releases at once are all published, and no work was done twice or beside itself`, async () => {
      fleet = new Fleet()
    await fleet.start({ coordinators: 2, apis: 2, workers: 3 })
      const ids = await Promise.all(Array.from({ length: MANY }, () => fleet.issue()))
      await until(ended('staged'), all(MANY), 180_000)
      const answers = await Promise.all(ids.map((id) => fleet.publish(id)))
      expect(new Set(answers.map(({ code }) => code))).toEqual(new Set([200]))
      await until(ended('published'), all(MANY), 180_000)

      const effects = fleet.effects()
      expect(overlaps(effects)).toEqual([])
      for (const work of ['stage', 'publish']) {
        const done = effects.filter((effect) => effect.work === work && effect.edge === 'end')
        expect(new Set(done.map((effect) => effect.task)).size).toBe(MANY)
        expect(done).toHaveLength(MANY)
      }
      expect(new Set(effects.map((effect) => effect.pid)).size).toBe(3)
      const { body } = await call('GET', `${fleet.coordinator}/releases?limit=1000`)
      expect(new Set(body.results.map((release: { version: string }) => release.version)).size).toBe(MANY)
    }, 400_000)
  },
)
