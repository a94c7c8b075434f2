import type { FastifyReply, FastifyRequest } from 'fastify'
import type { OutgoingHttpHeaders } from 'node:http'

/** One server-sent event; `id` is the position from which a reader resumes. */
export interface StreamedEvent {
  readonly id: number
  readonly data: unknown
}

export interface StreamSource {
  /** Events after a position, oldest first. */
  read(after: number): Promise<readonly StreamedEvent[]>
  /** Ends the stream when it aborts (shutdown). */
  readonly signal: AbortSignal
  /** Milliseconds between looks for new events. */
  readonly intervalMs: number
}

const SLOW_READER_MS = 60 * 1000 // 60 s
const KEEP_ALIVE_MS = 12 * 1000 // 12 s: with the longest wait for events, a reader hears something within 15 s
const LAST_WORDS_MS = 1000 // 1 s for a reader to take what is on its way

/** Whether the reader prefers a stream to a JSON answer. */
export function wantsEventStream(request: FastifyRequest): boolean {
  return request.headers.accept?.includes('text/event-stream') ?? false
}

/** Where the reader left off: the `Last-Event-ID` header, or 0. */
export function lastEventId(request: FastifyRequest): number {
  const header = Number(request.headers['last-event-id'])
  return Number.isSafeInteger(header) && header > 0 ? header : 0
}

/** Aborts when the reader goes away, and at once where it has gone already: then no event tells it any more. */
export function readerGone({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController()
  raw.once('close', () => gone.abort())
  if (raw.destroyed || raw.socket?.destroyed) gone.abort()
  return gone.signal
}

/** Answers with server-sent events until the reader goes away or the source ends (SV-18, CR-43). */
export async function sendEventStream(request: FastifyRequest, reply: FastifyReply, source: StreamSource) {
  reply.hijack()
  const { raw } = reply
  const stop = AbortSignal.any([readerGone(reply), source.signal])
  // What the hooks have put on the answer goes with it: nobody else writes its headers any more.
  const headers = reply.getHeaders() as OutgoingHttpHeaders
  raw.writeHead(200, {
    ...headers,
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    // Kept for further requests, it would keep a server that stops from ending.
    connection: 'close',
  })
  // A reader knows that it is connected before there is an event.
  raw.flushHeaders()
  try {
    await pump(lastEventId(request), source, raw, stop)
  } catch (error) {
    request.log.warn({ err: error }, 'event stream ended by an error')
  } finally {
    endSoon(raw)
  }
}

/** A reader that takes nothing any more holds up nobody, and keeps no memory; it resumes where it was. */
function endSoon(raw: FastifyReply['raw']): void {
  raw.end()
  if (raw.destroyed) return
  const timer = setTimeout(() => raw.destroy(), LAST_WORDS_MS)
  raw.once('close', () => clearTimeout(timer))
}

async function pump(from: number, source: StreamSource, raw: FastifyReply['raw'], stop: AbortSignal) {
  let position = from
  let quietSince = performance.now()
  while (!stop.aborted) {
    const events = await source.read(position)
    for (const event of events) raw.write(`id: ${event.id}\ndata: ${JSON.stringify(event.data)}\n\n`)
    position = events.at(-1)?.id ?? position
    if (raw.writableNeedDrain && !(await drained(raw, stop))) return
    if (events.length > 0) quietSince = performance.now()
    else if (performance.now() - quietSince > KEEP_ALIVE_MS) {
      raw.write(': still here\n\n')
      quietSince = performance.now()
    }
    await pause(source.intervalMs, stop)
  }
}

/** False where a reader has not taken for long what was sent: what it does not take must not pile up here. */
async function drained(raw: FastifyReply['raw'], stop: AbortSignal): Promise<boolean> {
  const taken = new AbortController()
  const done = () => taken.abort()
  raw.once('drain', done)
  await pause(SLOW_READER_MS, AbortSignal.any([stop, taken.signal]))
  raw.removeListener('drain', done)
  return taken.signal.aborted
}

function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms)
    function done() {
      clearTimeout(timer)
      stop.removeEventListener('abort', done)
      resolve()
    }
    stop.addEventListener('abort', done, { once: true })
    if (stop.aborted) done()
  })
}
