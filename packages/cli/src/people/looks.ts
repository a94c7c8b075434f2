import { setTimeout as sleep } from 'node:timers/promises'
import type { Side } from './asking.ts'
import type { Release } from './documents.ts'
import { CommandError } from './errors.ts'
import { readEvents, type Place, type StreamEvent } from './event-stream.ts'

const SPACING_MS = 200 // between two looks, however many events come
const COME_BACK_MS = 2 * 1000 // 2 s until a stream that ended is opened again
const TIMEOUT_MS = 10 * 1000 // 10 s for one look

/** What one look at a release gave: the release, or why the coordinator could not be asked. */
export type Look = { readonly release: Release } | { readonly trouble: CommandError }

/** A trouble that passes; what else is wrong stays so, and ends the command. */
const PASSING: ReadonlySet<string> = new Set(['NOT_REACHABLE', 'OUTCOME_UNKNOWN'])

/** A warning or an error that the coordinator wrote down. */
export interface Word {
  readonly at: string
  readonly type: string
  readonly message: string
}

export interface Looking {
  readonly side: Side
  readonly id: string
  readonly signal: AbortSignal
  /** Milliseconds that are left; the looks end with them, after one look at least. */
  readonly leftMs: () => number
  /** Milliseconds between two looks, whether events come or not: they are only a wake-up call. */
  readonly everyMs: number
  /** Each warning and error once, also over connections that break. */
  readonly heard?: (word: Word) => void
}

/**
 * Looks at a release again and again, for as long as it is read: at every event, and every few seconds in any case, so
 * that a coordinator that restarts, or a stream that nobody lets through, costs seconds at most. It never changes
 * anything.
 * @throws CommandError where further looks are no use: there is no such release, or who asks may not
 */
export async function* looksAt(looking: Looking): AsyncGenerator<Look> {
  const bell = new Bell()
  const over = new AbortController()
  const signal = AbortSignal.any([looking.signal, over.signal])
  const listening = listen({ ...looking, signal }, bell)
  try {
    for (;;) {
      const rings = bell.rings
      yield await look(looking)
      if (looking.leftMs() <= 0 || signal.aborted) return
      await pause(Math.min(SPACING_MS, looking.leftMs()), signal)
      await bell.wait(rings, Math.min(looking.everyMs, Math.max(0, looking.leftMs())), signal)
    }
  } finally {
    over.abort()
    await listening
  }
}

async function look({ side, id, leftMs, signal }: Looking): Promise<Look> {
  const timeoutMs = Math.min(TIMEOUT_MS, Math.max(1000, Math.round(leftMs())))
  try {
    return { release: await side.ask<Release>(`/releases/${id}`, { timeoutMs, signal, look: LIST }) }
  } catch (error) {
    if (error instanceof CommandError && PASSING.has(error.code)) return { trouble: error }
    throw error
  }
}

const LIST = 'release-task releases list'

/** Rings at every event; without a stream it stays silent, and the looks go on without it. */
async function listen({ side, id, signal, heard }: Looking, bell: Bell): Promise<void> {
  const place: Place = { lastId: null }
  const told = (event: StreamEvent) => {
    bell.ring()
    const word = wordOf(event)
    if (word !== null) heard?.(word)
  }
  while (!signal.aborted) {
    await readEvents(side, `/events/stream?release=${id}`, { place, told, signal }).catch(() => undefined)
    await pause(COME_BACK_MS, signal)
  }
}

/** What an event warns of; null where it only tells the way of things, which the looks show. */
export function wordOf({ data }: StreamEvent): Word | null {
  if (data === null) return null
  try {
    const { event_type: type, message, created_at: at } = JSON.parse(data) as { [name: string]: string }
    const isWord = type === 'warning' || type === 'error'
    return isWord && message !== undefined ? { at: at ?? '', type, message } : null
  } catch {
    return null
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined)
}

class Bell {
  rings = 0
  #woken = Promise.withResolvers<void>()

  ring(): void {
    this.rings++
    this.#woken.resolve()
    this.#woken = Promise.withResolvers<void>()
  }

  /** Returns at the first ring after `rings`, or when the time is over. */
  async wait(rings: number, ms: number, signal: AbortSignal): Promise<void> {
    if (this.rings > rings) return
    const over = new AbortController()
    const stop = AbortSignal.any([signal, over.signal])
    await Promise.race([this.#woken.promise, pause(ms, stop)])
    over.abort()
  }
}
