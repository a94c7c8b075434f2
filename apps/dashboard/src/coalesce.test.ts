import { expect, test } from 'vitest'
import { Coalescer } from './coalesce.ts'

/** Time that only moves when it is told to. */
class HandClock {
  time = 0
  #timers: { at: number; what: () => void }[] = []
  now() {
    return this.time
  }
  after(ms: number, what: () => void) {
    this.#timers.push({ at: this.time + ms, what })
  }
  async pass(ms: number) {
    this.time += ms
    const due = this.#timers.filter(({ at }) => at <= this.time)
    this.#timers = this.#timers.filter(({ at }) => at > this.time)
    for (const { what } of due) what()
    await Promise.resolve()
    await Promise.resolve()
  }
}

function counted(run: (key: string) => Promise<unknown> = async () => {}) {
  const clock = new HandClock()
  const runs: string[] = []
  const coalescer = new Coalescer(
    (key) => {
      runs.push(`${key}@${clock.time}`)
      return run(key)
    },
    500,
    clock,
  )
  return { clock, runs, coalescer }
}

test('the first touch runs at once, the rest of a storm once per spacing', async () => {
  const { clock, runs, coalescer } = counted()
  for (let n = 0; n < 100; n++) {
    coalescer.touch('a')
    await clock.pass(10)
  }
  await clock.pass(1000)
  expect(runs).toEqual(['a@0', 'a@500', 'a@1000'])
})

test('keys do not wait for each other', () => {
  const { runs, coalescer } = counted()
  coalescer.touch('a')
  coalescer.touch('b')
  expect(runs).toEqual(['a@0', 'b@0'])
})

test('never twice at a time, and a touch meanwhile is not lost', async () => {
  let finish = () => {}
  const { clock, runs, coalescer } = counted(() => new Promise<void>((resolve) => (finish = resolve)))
  coalescer.touch('a')
  await clock.pass(2000)
  coalescer.touch('a')
  await clock.pass(2000)
  expect(runs).toEqual(['a@0'])
  finish()
  await clock.pass(0)
  await clock.pass(7999)
  expect(runs).toEqual(['a@0'])
  // It took 4 s: it may take a third of the time.
  await clock.pass(1)
  expect(runs).toEqual(['a@0', 'a@12000'])
})

test('a run that fails does not end it', async () => {
  const { clock, runs, coalescer } = counted(() => Promise.reject(new Error('no')))
  coalescer.touch('a')
  await clock.pass(0)
  await clock.pass(600)
  coalescer.touch('a')
  expect(runs).toEqual(['a@0', 'a@600'])
})
