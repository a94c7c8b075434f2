import { callerOn } from '@release-task/auth'
import {
  readerGone,
  sendEventStream,
  type App,
  type FastifyReply,
  type FastifyRequest,
  type StreamedEvent,
} from '@release-task/http'
import type { EventBell } from '../event-bell.ts'
import type { EventFilter, EventStore } from '../event-store.ts'
import type { HttpDependencies } from './dependencies.ts'
import { linksOf } from './links.ts'
import { queryText } from './page.ts'
import { invalid } from './problem.ts'
import { eventView } from './views.ts'

const MOST_STREAMS = 100
const RETRY_AFTER_S = 5
const BATCH = 200
const LOOK_MS = 2 * 1000 // 2 s: the bell may not have been heard
const SPACING_MS = 100 // between two looks, however often it rings
const COME_BACK_MS = 2 * 1000 // 2 s until a reader whose stream ended opens the next one

/** `GET /events/stream`: events as they are written (CR-43). */
export function addEventStream(app: App, deps: HttpDependencies): void {
  let streams = 0
  app.get('/events/stream', async (request, reply) => {
    const asked = startOf(request)
    if (request.method === 'HEAD') return reply.type('text/event-stream').send()
    if (streams >= MOST_STREAMS) return refuse(reply)
    streams++
    try {
      await stream(deps, { request, reply, asked })
    } finally {
      streams--
    }
    return undefined
  })
}

function refuse(reply: FastifyReply) {
  const detail = `${MOST_STREAMS} event streams are open, and no more are possible: ask again in ${RETRY_AFTER_S} s.`
  return reply.status(503).header('retry-after', RETRY_AFTER_S).send({ detail })
}

interface Asked {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  /** The position after which it begins; null: now. */
  readonly asked: number | null
}

async function stream(deps: HttpDependencies, { request, reply, asked }: Asked): Promise<void> {
  const { raw } = reply
  const signal = AbortSignal.any([deps.stopping, readerGone(reply)])
  const newest = await deps.events.newest()
  // A database that was restored has fewer events than the reader has seen: it goes on with what comes now.
  const from = Math.min(asked ?? newest, newest)
  const reader = new EventReader({
    events: deps.events,
    bell: deps.bell,
    filter: filterOf(request),
    from,
    signal,
  })
  const links = linksOf(request, deps.config.publicUrl)
  const isAdmin = deps.policy.may(callerOn(request), 'audit.read')
  let isOpen = false
  const read = async (): Promise<StreamedEvent[]> => {
    // An id without data is no event, but the reader resumes from it: so it loses nothing though it has seen nothing.
    if (!isOpen) raw.write(`retry: ${COME_BACK_MS}\nid: ${from}\n\n`)
    isOpen = true
    const found = await reader.next()
    return found.map((event) => ({ id: event.position, data: eventView(event, links, isAdmin) }))
  }
  // A proxy that collects answers before it passes them on would keep the events back.
  reply.header('x-accel-buffering', 'no')
  await sendEventStream(request, reply, { read, signal, intervalMs: SPACING_MS })
}

function filterOf(request: FastifyRequest): EventFilter {
  return {
    release: queryText(request, 'release'),
    task_service: queryText(request, 'task_service'),
    task: queryText(request, 'task'),
    event_type: queryText(request, 'event_type'),
  }
}

/** `Last-Event-ID`, which a reader sends by itself when it comes back, before `?after`; null where there is neither. */
function startOf(request: FastifyRequest): number | null {
  const position = (text: unknown) =>
    typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : null
  const resumed = position(request.headers['last-event-id'])
  const after = queryText(request, 'after')
  if (after !== null && position(after) === null) throw invalid('after', 'A valid integer is required.')
  return resumed ?? position(after)
}

interface ReaderOptions {
  readonly events: EventStore
  readonly bell: EventBell
  readonly filter: EventFilter
  readonly from: number
  /** Aborts when nobody reads any more. */
  readonly signal: AbortSignal
}

/** Reads on from a position, each event once; asked only when the one before was taken, so that nothing piles up. */
class EventReader {
  readonly #options: ReaderOptions
  #seen: number

  constructor(options: ReaderOptions) {
    this.#options = options
    this.#seen = options.from
  }

  /** The next events; none where nothing came for a while. */
  async next() {
    const { bell, signal } = this.#options
    const rings = bell.rings
    const found = await this.#read()
    if (found.length > 0) return found
    await bell.wait(rings, LOOK_MS, signal)
    return signal.aborted ? [] : this.#read()
  }

  async #read() {
    const { events, filter } = this.#options
    const newest = await events.newest()
    if (newest <= this.#seen) return []
    const found = await events.after(filter, this.#seen, BATCH)
    const last = found.at(-1)?.position ?? 0
    // What the filter leaves out is passed over once and not at every look.
    this.#seen = found.length < BATCH ? Math.max(newest, last) : last
    return found
  }
}
