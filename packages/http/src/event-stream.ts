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
const KEEP_ALIVE_MS = 15 * 1000 // 15 s: proxies close what is silent for longer

/** Whether the reader prefers a stream to a JSON answer. */
export function wantsEventStream(request: FastifyRequest): boolean {
  return request.headers.accept?.includes('text/event-stream') ?? false
}

/** Where the reader left off: the `Last-Event-ID` header, or 0. */
export function lastEventId(request: FastifyRequest): number {
  const header = Number(request.headers['last-event-id'])
  return Number.isSafeInteger(header) && header > 0 ? header : 0
}

/** Answers with server-sent events until the reader goes away or the source ends. */
export async function sendEventStream(request: FastifyRequest, reply: FastifyReply, source: StreamSource) {
  reply.hijack()
  const { raw } = reply
  // What the hooks have put on the answer goes with it: nobody else writes its headers any more.
  const headers = reply.getHeaders() as OutgoingHttpHeaders
  raw.writeHead(200, { ...headers, 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  const closed = new Promise<void>((resolve) => raw.once('close', resolve))
  const ended = new AbortController()
  void closed.then(() => ended.abort())
  const stop = AbortSignal.any([ended.signal, source.signal])
  try {
    await pump(lastEventId(request), source, raw, stop)
  } catch (error) {
    request.log.warn({ err: error }, 'event stream ended by an error')
  } finally {
    raw.end()
  }
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
