import { setTimeout as delay } from 'node:timers/promises'

/** How patient a request is. An argument, so that tests need not wait. */
export interface Patience {
  readonly tries: number
  /** For one try, until the last byte of the answer. */
  readonly timeoutMs: number
  readonly firstDelayMs: number
  readonly maxDelayMs: number
  /** A server that asks for a longer pause gets this one. */
  readonly maxRetryAfterMs: number
  wait(ms: number, signal: AbortSignal): Promise<void>
  random(): number
}

export const PATIENCE: Patience = {
  tries: 5,
  timeoutMs: 30 * 1000, // 30 s
  firstDelayMs: 500,
  maxDelayMs: 10 * 1000, // 10 s
  maxRetryAfterMs: 5 * 60 * 1000, // 5 min
  wait: async (ms, signal) => void (await delay(ms, undefined, { signal })),
  random: Math.random,
}

type Answer =
  | { readonly json: unknown }
  | {
      readonly problem: string
      readonly again: boolean
      readonly retryAfterMs: number
      readonly cause?: unknown
    }

/**
 * Reads JSON. Trouble on the way, 5xx, 408 and 429 are tried again a few times; other answers are final.
 * Ends at once when `signal` aborts, also while it waits.
 */
export async function getJson(
  url: URL,
  signal: AbortSignal,
  patience: Patience = PATIENCE,
): Promise<unknown> {
  for (let tried = 1; ; tried++) {
    signal.throwIfAborted()
    const answer = await tryOnce(url, AbortSignal.any([signal, AbortSignal.timeout(patience.timeoutMs)]))
    signal.throwIfAborted()
    if ('json' in answer) return answer.json
    if (!answer.again || tried >= patience.tries)
      throw new Error(`GET ${url} (try ${tried}): ${answer.problem}`, { cause: answer.cause })
    await patience.wait(pauseMs(tried, answer.retryAfterMs, patience), signal)
  }
}

/** Full jitter, so that many that failed together do not come back together; never less than was asked for. */
function pauseMs(failures: number, retryAfterMs: number, patience: Patience): number {
  const ceiling = Math.min(patience.maxDelayMs, patience.firstDelayMs * 2 ** (failures - 1))
  return Math.max(Math.min(retryAfterMs, patience.maxRetryAfterMs), Math.round(ceiling * patience.random()))
}

async function tryOnce(url: URL, signal: AbortSignal): Promise<Answer> {
  try {
    const response = await fetch(url, { signal, headers: { accept: 'application/json' } })
    // A gateway's HTML page with status 200 fails here as well, and deserves another try.
    if (response.ok) return { json: await response.json() }
    const body = (await response.text()).slice(0, 200)
    const again = response.status >= 500 || response.status === 429 || response.status === 408
    const retryAfterMs = parseRetryAfter(response.headers.get('retry-after'))
    return { problem: `answered ${response.status} ${body}`.trim(), again, retryAfterMs }
  } catch (cause) {
    return { problem: reasonOf(cause), again: true, retryAfterMs: 0, cause }
  }
}

/** Seconds or a date, as HTTP allows both; 0 where it is neither. */
function parseRetryAfter(header: string | null): number {
  if (header === null) return 0
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - Date.now()
  return Number.isFinite(ms) ? Math.max(0, ms) : 0
}

/** `fetch` says only "fetch failed"; why, it tells in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}
