import type { Side } from './asking.ts'

/** One server-sent event, or the id alone that a stream opens with. */
export interface StreamEvent {
  readonly id: string | null
  readonly data: string | null
}

/** Cuts what arrives into events; what is not whole yet is kept for the next piece. Comments give none. */
export function createEventParser(): (piece: string) => StreamEvent[] {
  let rest = ''
  return (piece) => {
    const blocks = (rest + piece).split(/\r?\n\r?\n/)
    rest = blocks.pop() ?? ''
    return blocks.map(eventOf).filter(({ id, data }) => id !== null || data !== null)
  }
}

function eventOf(block: string): StreamEvent {
  const field = (name: string): string[] =>
    block
      .split(/\r?\n/)
      .filter((line) => line.startsWith(`${name}:`))
      .map((line) => line.slice(name.length + 1).replace(/^ /, ''))
  const data = field('data')
  return { id: field('id').at(-1) ?? null, data: data.length === 0 ? null : data.join('\n') }
}

const SILENCE_MS = 45 * 1000 // 45 s: the coordinator says something at least every 15 s (CR-43)

/** Where a reader stands, over any number of connections. */
export interface Place {
  lastId: string | null
}

/**
 * Reads one connection to `/events/stream` to its end, from where the one before ended; each event is told once. A
 * stream that says nothing for too long is dead.
 * @throws anything where there is no such stream: whoever reads goes on without
 */
export async function readEvents(
  side: Side,
  path: string,
  { place, told, signal }: { place: Place; told: (event: StreamEvent) => void; signal: AbortSignal },
): Promise<void> {
  const dead = new AbortController()
  const timer = setTimeout(() => dead.abort(), SILENCE_MS)
  try {
    const stop = AbortSignal.any([signal, dead.signal])
    const headers = await headersOf(side, place)
    const response = await fetch(`${side.url}${path}`, { headers, signal: stop, redirect: 'manual' })
    if (!isStream(response)) {
      await response.body?.cancel()
      throw new Error(`no stream: ${response.status}`)
    }
    const decoder = new TextDecoder()
    const parse = createEventParser()
    for await (const piece of response.body ?? []) {
      timer.refresh()
      for (const event of parse(decoder.decode(piece, { stream: true }))) {
        place.lastId = event.id ?? place.lastId
        told(event)
      }
    }
  } finally {
    clearTimeout(timer)
  }
}

const isStream = ({ status, headers }: Response): boolean =>
  status === 200 && (headers.get('content-type') ?? '').startsWith('text/event-stream')

async function headersOf({ tokens }: Side, { lastId }: Place): Promise<Record<string, string>> {
  const token = tokens === null ? null : await tokens.token()
  return {
    accept: 'text/event-stream',
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    ...(lastId === null ? {} : { 'last-event-id': lastId }),
  }
}
