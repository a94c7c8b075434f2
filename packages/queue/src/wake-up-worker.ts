import { WaitingError, Worker, type Job } from 'bullmq'
import type { Redis } from 'ioredis'
import type { LocalConsumer } from './local-consumer.ts'
import type { RedisLink } from './redis-link.ts'

const HAND_BACK_MS = 1000 // 1 s
const RETRY_MS = 1000 // 1 s
const TIDY_LIMIT_MS = 1000 // 1 s

export interface WakeUpWorkerOptions {
  readonly name: string
  readonly prefix: string
  readonly link: RedisLink
  readonly consumer: LocalConsumer
  readonly concurrency: number
}

/**
 * Takes wake-ups from Redis for the consumer of this process. A wake-up stays active there until it is handled,
 * which leaves the others to other processes.
 */
export class WakeUpWorker extends Worker<string> {
  readonly #connections: readonly Redis[]

  constructor({ name, prefix, link, consumer, concurrency }: WakeUpWorkerOptions) {
    const connections = connect(link)
    super(name, (job, token) => handleHere(consumer, job, token), {
      connection: connections[0],
      prefix,
      concurrency,
      // Not before both connections have answered: with one that refuses, BullMQ would ask without a pause.
      autorun: false,
      runRetryDelay: RETRY_MS,
    })
    this.#connections = connections
    // A lost connection is told by the link; a lost lock (a loop that kept this thread busy) means that the wake-up
    // was delivered again, and whoever is woken claims in the database.
    this.on('error', () => undefined)
    void this.#begin(link)
  }

  /** Takes nothing more. What has been taken stays active. */
  stopTaking(): void {
    void this.pause(true)
  }

  /** Tells Redis what has been handled, for at most a second, and ends; the link ends the connections. Never rejects. */
  async end(): Promise<void> {
    const limit = Promise.withResolvers<void>()
    const timer = setTimeout(limit.resolve, TIDY_LIMIT_MS)
    await Promise.race([this.close().catch(() => undefined), limit.promise])
    clearTimeout(timer)
    // Where Redis is away `close` is still at its first step, and its timers would keep the process alive.
    void this.lockManager.close()
    void this.getBackend().close(true)
  }

  async #begin(link: RedisLink): Promise<void> {
    try {
      await this.waitUntilReady()
      // From here on a fetch that is cut off fails at once and is asked again, instead of being waited for.
      for (const blocking of this.#connections.slice(1)) blocking.options.maxRetriesPerRequest = 0
      await this.run()
    } catch (error) {
      if (!this.closing) link.breaks(`No wake-ups can be taken: ${(error as Error).message}`)
    }
  }
}

/** The worker's connection; the one for fetching, which BullMQ copies from it, is added when it does. */
function connect(link: RedisLink): [Redis, ...Redis[]] {
  const connection = link.connect()
  const connections: [Redis, ...Redis[]] = [connection]
  const duplicate = connection.duplicate.bind(connection)
  // BullMQ does not give the copy out, and only who has it can end it while Redis is away.
  connection.duplicate = (override) => {
    const copy = duplicate(override)
    link.keep(copy)
    connections.push(copy)
    return copy
  }
  return connections
}

/**
 * Offers take places that BullMQ knows nothing of. A wake-up that found none for a while goes back, so that a
 * process with a free place may have it; at the end of this process too.
 */
async function handleHere(consumer: LocalConsumer, job: Job<string>, token: string | undefined) {
  const timer = setTimeout(() => consumer.withdraw(job.data), HAND_BACK_MS)
  // Once it has begun there is nothing to hand back, and what waits by then is another wake-up of the same id.
  const handled = await consumer.handled(job.data, () => clearTimeout(timer))
  clearTimeout(timer)
  if (handled) return
  await job.moveToWait(token)
  throw new WaitingError()
}
