import { Redis, type RedisOptions } from 'ioredis'
import { Heartbeat } from './heartbeat.ts'
import type { HealthChanged } from './queue.ts'

const SEND_LIMIT_MS = 1000 // 1 s
const OPEN_LIMIT_MS = 1000 // 1 s
const MOST_RETRY_MS = 2000 // 2 s

/** What every connection has in common: it is tried for ever, and given up without waiting for the other side. */
const PATIENT: RedisOptions = {
  retryStrategy: (times) => Math.min(times * 100, MOST_RETRY_MS),
  connectTimeout: 5000,
  disconnectTimeout: 500,
}

/** Whatever cannot be sent now is refused now: nothing piles up while Redis is away, and nothing is sent late. */
const NOTHING_KEPT: RedisOptions = {
  ...PATIENT,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  maxRetriesPerRequest: 0,
  commandTimeout: SEND_LIMIT_MS,
}

export interface LinkOptions {
  readonly url: string
  /** Names the channel that all processes hear. */
  readonly name: string
  /** Somebody, this process too, has said this on the channel. */
  readonly heard: (text: string) => void
  readonly changed: HealthChanged
}

/** The connections of one process to a Redis, and whether they answer. */
export class RedisLink {
  /** Sends, and keeps nothing: only to be used while `answers()`. */
  readonly commands: Redis
  readonly #messages: Redis
  readonly #others = new Set<Redis>()
  readonly #heartbeat = new Heartbeat((connection) => this.#silent(connection))
  readonly #options: LinkOptions
  readonly #channel: string
  readonly #first = Promise.withResolvers<void>()
  #answering = false
  #hearing = false
  #broken = false
  #told: 'ok' | 'degraded' | null = null
  #closed = false

  constructor(options: LinkOptions) {
    this.#options = options
    this.commands = new Redis(options.url, NOTHING_KEPT)
    this.#messages = new Redis(options.url, NOTHING_KEPT)
    // Channels know no database numbers, and two systems may share a Redis by those.
    this.#channel = `release-task:${this.commands.options.db ?? 0}:${options.name}:notify`
    this.#followCommands()
    this.#followMessages()
  }

  /** Resolves when Redis answers, and after a second at the latest: what is said right afterwards is not lost. */
  async opened(): Promise<void> {
    const limit = setTimeout(() => {
      if (this.#told === null) this.#tell('degraded', 'Redis does not answer')
      this.#first.resolve()
    }, OPEN_LIMIT_MS)
    await this.#first.promise
    clearTimeout(limit)
  }

  /** Whether it is worth to send anything. */
  answers(): boolean {
    return this.#answering && !this.#closed
  }

  health(): 'ok' | 'degraded' {
    return this.#told === 'ok' ? 'ok' : 'degraded'
  }

  /** Says it to every process, or to nobody while Redis is away. */
  publish(text: string): void {
    if (this.answers()) this.commands.publish(this.#channel, text).catch(() => undefined)
  }

  /** A further connection, whose commands wait until Redis answers: BullMQ asks for that. */
  connect(): Redis {
    const connection = new Redis(this.#options.url, { ...PATIENT, maxRetriesPerRequest: null })
    this.keep(connection)
    this.#heartbeat.watch(connection)
    return connection
  }

  /** Makes a connection end with this one. */
  keep(connection: Redis): void {
    this.#others.add(connection)
    connection.on('error', () => undefined)
  }

  /** Something cannot work with this Redis, whatever it answers. */
  breaks(why: string): void {
    this.#broken = true
    this.#tell('degraded', why)
  }

  /** Ends every connection at once. */
  close(): void {
    this.#closed = true
    this.#heartbeat.stop()
    const connections = [this.commands, this.#messages, ...this.#others]
    // One that BullMQ has ended must not be ended twice: ioredis would start a timer for a socket that is gone.
    for (const connection of connections) if (connection.status !== 'end') connection.disconnect()
  }

  #followCommands(): void {
    this.#follow(this.commands, () => (this.#answering = false))
    this.commands.on('ready', () => {
      this.#answering = true
      this.#found()
    })
  }

  #followMessages(): void {
    this.#follow(this.#messages, () => (this.#hearing = false))
    this.#messages.on('message', (_channel, text) => this.#options.heard(text))
    this.#messages.on('ready', () => {
      const hears = () => {
        this.#hearing = true
        this.#found()
      }
      // Without its channel it is of no use, and the next try begins with a new connection.
      this.#messages.subscribe(this.#channel).then(hears, () => this.#messages.disconnect(true))
    })
  }

  #follow(connection: Redis, lost: () => void): void {
    let why = 'Redis closed the connection'
    connection.on('error', (error: Error) => (why = error.message))
    connection.on('close', () => {
      lost()
      this.#tell('degraded', why)
    })
    this.#heartbeat.watch(connection)
  }

  #silent(connection: Redis): void {
    if (connection === this.commands) this.#answering = false
    if (connection === this.#messages) this.#hearing = false
    this.#tell('degraded', 'Redis does not answer')
  }

  #found(): void {
    if (this.#answering && this.#hearing && !this.#broken) this.#tell('ok', 'Redis answers')
  }

  #tell(health: 'ok' | 'degraded', why: string): void {
    if (this.#closed || this.#told === health) return
    // A queue that opens well says nothing: there was no change.
    const silent = this.#told === null && health === 'ok'
    this.#told = health
    if (health === 'ok') this.#first.resolve()
    if (!silent) this.#options.changed(health, why)
  }
}
