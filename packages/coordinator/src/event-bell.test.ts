import { test } from 'vitest'
import { EventBell } from './event-bell.ts'

const never = new AbortController().signal
const LONG_MS = 2 ** 30

test('a ring wakes everybody who waits, once', async () => {
  const bell = new EventBell()
  const both = [bell.wait(bell.rings, LONG_MS, never), bell.wait(bell.rings, LONG_MS, never)]
  bell.ring()
  await Promise.all(both)
})

test('a ring between looking and waiting is not missed', async () => {
  const bell = new EventBell()
  const { rings } = bell
  bell.ring()
  await bell.wait(rings, LONG_MS, never)
})

test('without a ring the time ends it, or the signal', async () => {
  const bell = new EventBell()
  await bell.wait(bell.rings, 1, never)
  const stop = new AbortController()
  const waiting = bell.wait(bell.rings, LONG_MS, stop.signal)
  stop.abort()
  await waiting
  await bell.wait(bell.rings, LONG_MS, stop.signal)
})
