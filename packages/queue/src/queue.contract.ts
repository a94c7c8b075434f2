import { describe, expect, test } from 'vitest'
import { Calls, gate } from './calls.fixture.ts'
import type { Queue } from './queue.ts'

/** What every queue must do, whatever carries it. `make` gives a queue that shares nothing with the one before. */
export function queueContract(name: string, make: () => Promise<Queue>): void {
  describe(`queue contract: ${name}`, () => {
    const withQueue = (body: (queue: Queue) => Promise<void>) => async () => {
      const queue = await make()
      try {
        await body(queue)
      } finally {
        await queue.close()
      }
    }

    test(
      'a wake-up before there is a consumer is delivered when one comes',
      withQueue(async (queue) => {
        const calls = new Calls()
        queue.wake('a')
        queue.consume(async (id) => calls.add(id), 1)
        await calls.reached(1)
        expect(calls.ids).toEqual(['a'])
      }),
    )

    test(
      'never runs more than the concurrency, and everything in the end',
      withQueue(async (queue) => {
        const calls = new Calls()
        const hold = gate()
        let running = 0
        let most = 0
        queue.consume(async (id) => {
          most = Math.max(most, ++running)
          calls.add(id)
          await hold.opened
          running--
        }, 2)
        for (const id of ['a', 'b', 'c', 'd', 'e']) queue.wake(id)
        await calls.reached(2)
        hold.open()
        await calls.reached(5)
        expect(most).toBe(2)
        expect(calls.ids.toSorted()).toEqual(['a', 'b', 'c', 'd', 'e'])
      }),
    )

    test(
      'a wake-up for an id that is being handled is handled afterwards, not beside it and not lost',
      withQueue(async (queue) => {
        const calls = new Calls()
        const hold = gate()
        let running = 0
        let overlapped = false
        queue.consume(async (id) => {
          overlapped ||= ++running > 1
          calls.add(id)
          if (calls.ids.length === 1) await hold.opened
          running--
        }, 4)
        queue.wake('a')
        await calls.reached(1)
        queue.wake('a')
        hold.open()
        await calls.reached(2)
        expect(overlapped).toBe(false)
      }),
    )

    test(
      'a delayed wake-up comes after one without delay',
      withQueue(async (queue) => {
        const calls = new Calls()
        queue.consume(async (id) => calls.add(id), 1)
        queue.wake('late', 50)
        queue.wake('now')
        await calls.reached(2)
        expect(calls.ids).toEqual(['now', 'late'])
      }),
    )

    test(
      'a handler that throws does not stop the others',
      withQueue(async (queue) => {
        const calls = new Calls()
        queue.consume(async (id) => {
          calls.add(id)
          if (id === 'bad') throw new Error('handler failed')
        }, 1)
        queue.wake('bad')
        queue.wake('good')
        await calls.reached(2)
        expect(calls.ids).toEqual(['bad', 'good'])
      }),
    )

    test(
      'an offer is handled here, also one from before there is a consumer',
      withQueue(async (queue) => {
        const calls = new Calls()
        queue.offer('a')
        queue.consume(async (id) => calls.add(id), 1)
        await calls.reached(1)
        queue.offer('b')
        await calls.reached(2)
        expect(calls.ids).toEqual(['a', 'b'])
      }),
    )

    test(
      'offers of an id that waits are one, and of one that is being handled one more after it',
      withQueue(async (queue) => {
        const calls = new Calls()
        const hold = gate()
        queue.consume(async (id) => {
          calls.add(id)
          if (calls.ids.length === 1) await hold.opened
        }, 1)
        queue.offer('a')
        await calls.reached(1)
        for (const id of ['b', 'b', 'a', 'b', 'a']) queue.offer(id)
        hold.open()
        await calls.reached(3)
        queue.offer('last')
        await calls.reached(4)
        expect(calls.ids).toEqual(['a', 'b', 'a', 'last'])
      }),
    )

    test(
      'offers and wake-ups together never run more than the concurrency',
      withQueue(async (queue) => {
        const calls = new Calls()
        const held = [gate(), gate()]
        let running = 0
        let most = 0
        queue.consume(async (id) => {
          most = Math.max(most, ++running)
          calls.add(id)
          await held[calls.ids.length - 1]?.opened
          running--
        }, 2)
        queue.wake('woken')
        await calls.reached(1)
        for (const id of ['a', 'b', 'c']) queue.offer(id)
        for (const id of ['d', 'e']) queue.wake(id)
        await calls.reached(2)
        for (const one of held) one.open()
        await calls.reached(6)
        expect(most).toBe(2)
        expect(calls.ids.toSorted()).toEqual(['a', 'b', 'c', 'd', 'e', 'woken'])
      }),
    )

    test(
      'notify reaches every subscriber',
      withQueue(async (queue) => {
        const first = new Calls()
        const second = new Calls()
        queue.subscribe((id) => first.add(id))
        queue.subscribe((id) => second.add(id))
        queue.notify('a')
        await Promise.all([first.reached(1), second.reached(1)])
        expect([first.ids, second.ids]).toEqual([['a'], ['a']])
      }),
    )

    test(
      'close waits for what is running and takes nothing more',
      withQueue(async (queue) => {
        const calls = new Calls()
        const hold = gate()
        queue.consume(async (id) => {
          calls.add(id)
          await hold.opened
        }, 1)
        queue.wake('a')
        queue.wake('b')
        await calls.reached(1)
        queue.offer('c')
        let closed = false
        const closing = queue.close().then(() => (closed = true))
        await Promise.resolve()
        expect(closed).toBe(false)
        hold.open()
        await closing
        expect(calls.ids).toEqual(['a'])
      }),
    )
  })
}
