import { randomUUID } from 'node:crypto'
import { Queue as WakeUps, type JobsOptions } from 'bullmq'
import { LocalConsumer } from './local-consumer.ts'
import type { HealthChanged, Queue } from './queue.ts'
import { RedisLink } from './redis-link.ts'
import { WakeUpWorker } from './wake-up-worker.ts'

const PREFIX = 'release-task'

/**
 * Nothing is kept of what has been handled, and nothing is tried again: a sweep does that. No id of our own either:
 * BullMQ silently ignores an id that it has already, also while it is handled.
 */
const ONE_CALL: JobsOptions = { attempts: 1, removeOnComplete: true, removeOnFail: true }

export interface BullQueueOptions {
  readonly url: string
  readonly name: string
  readonly changed: HealthChanged
}

/** Opens a queue over Redis, and waits at most a second for its first answer. */
export async function openBullQueue(options: BullQueueOptions): Promise<Queue> {
  const queue = new BullQueue(options)
  await queue.opened()
  return queue
}

/** The queue of many processes that share a Redis: wake-ups by BullMQ, notifications by a channel. */
class BullQueue implements Queue {
  readonly #name: string
  readonly #self = randomUUID()
  readonly #link: RedisLink
  readonly #wakeUps: WakeUps<string>
  readonly #consumer = new LocalConsumer()
  readonly #listeners: ((id: string) => void)[] = []
  #worker: WakeUpWorker | null = null
  #closed = false

  constructor({ url, name, changed }: BullQueueOptions) {
    this.#name = name
    this.#link = new RedisLink({ url, name, changed, heard: (text) => this.#heard(text) })
    this.#wakeUps = new WakeUps(name, {
      connection: this.#link.commands,
      prefix: PREFIX,
      defaultJobOptions: ONE_CALL,
      // Both are asked once, and a connection that keeps nothing has no answer where Redis is away just then.
      skipVersionCheck: true,
      skipMetasUpdate: true,
    })
    this.#wakeUps.on('error', () => undefined)
  }

  opened(): Promise<void> {
    return this.#link.opened()
  }

  wake(id: string, delayMs = 0): void {
    // Asked first, because `add` waits for a Redis that is away, whatever its connection is told.
    if (!this.#closed && this.#link.answers())
      this.#wakeUps.add('wake', id, { delay: delayMs }).catch(() => undefined)
  }

  offer(id: string): void {
    this.#consumer.add(id)
  }

  notify(id: string): void {
    if (this.#closed) return
    // Here without a detour, so that it works while Redis is away.
    queueMicrotask(() => this.#tell(id))
    this.#link.publish(`${this.#self} ${id}`)
  }

  consume(handle: (id: string) => Promise<void>, concurrency: number): void {
    this.#consumer.consume(handle, concurrency)
    const [name, link, consumer] = [this.#name, this.#link, this.#consumer]
    this.#worker = new WakeUpWorker({ name, prefix: PREFIX, link, consumer, concurrency })
  }

  subscribe(listen: (id: string) => void): void {
    this.#listeners.push(listen)
  }

  health(): 'ok' | 'degraded' {
    return this.#link.health()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#worker?.stopTaking()
    await this.#consumer.close()
    await this.#worker?.end()
    this.#link.close()
    await this.#wakeUps.close().catch(() => undefined)
  }

  #heard(text: string): void {
    const [sender, id] = text.split(' ', 2)
    if (sender !== this.#self && id !== undefined) this.#tell(id)
  }

  #tell(id: string): void {
    if (!this.#closed) for (const listen of this.#listeners) listen(id)
  }
}
