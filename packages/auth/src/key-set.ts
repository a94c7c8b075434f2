import { request, TransportError, type Answer } from '@release-task/http'
import { createLocalJWKSet, errors, type CryptoKey, type JWSHeaderParameters } from 'jose'
import { AuthError } from './errors.ts'

export interface KeySetOptions {
  readonly url: string
  /** Milliseconds since the epoch. */
  readonly now?: () => number
  /** How long one fetch of the keys may take. */
  readonly timeoutMs?: number
  readonly send?: typeof request
}

export interface KeySet {
  /** @throws AuthError KEYS_UNAVAILABLE, or TOKEN_INVALID for a key that the issuer does not have */
  find(header: JWSHeaderParameters): Promise<CryptoKey>
}

type Find = (header: JWSHeaderParameters) => Promise<CryptoKey>
interface Keys {
  readonly find: Find
  readonly readAt: number
}

/** Older keys are read again, so that one that the issuer took back stops working. */
const MAX_AGE_MS = 10 * 60 * 1000 // 10 min
/** Least time between two fetches for unknown keys, and after a failed fetch while there are good keys. */
const PAUSE_MS = 60 * 1000 // 1 min
/** Least time between two fetches while there are no keys at all. */
const FIRST_PAUSE_MS = 1000 // 1 s

/**
 * The public keys of an issuer, chosen by `kid` (AU-5). An unknown `kid` fetches them again, at most once a minute;
 * the last good keys go on working while the key endpoint is away, however long; keys of more than ten minutes are read
 * again first, for which a call waits no longer than `timeoutMs`, once a minute. Not the remote key set of the
 * library: with the endpoint away that one refuses every token as soon as its cache is old, and fetches at each.
 */
export function createKeySet(options: KeySetOptions): KeySet {
  const now = options.now ?? Date.now
  let keys: Keys | null = null
  let failure: { readonly error: AuthError; readonly at: number } | null = null
  let fetching: Promise<void> | null = null
  let askedForUnknownAt = -Infinity

  /** One fetch for all who wait; its outcome is in `keys` and `failure`, it never rejects. */
  function refresh(): Promise<void> {
    fetching ??= fetchKeys(options)
      .then(
        (find) => {
          keys = { find, readAt: now() }
          failure = null
        },
        (error: AuthError) => {
          failure = { error, at: now() }
        },
      )
      .finally(() => (fetching = null))
    return fetching
  }

  function isDue(): boolean {
    const failedAt = failure?.at ?? -Infinity
    if (!keys) return now() >= failedAt + FIRST_PAUSE_MS
    return now() >= Math.max(keys.readAt + MAX_AGE_MS, failedAt + PAUSE_MS)
  }

  /** Joins a fetch that is under way: after a rotation many come at once with the same new key. */
  async function refreshForUnknown(): Promise<void> {
    if (!fetching && now() < askedForUnknownAt + PAUSE_MS) return
    if (!fetching) askedForUnknownAt = now()
    await refresh()
  }

  async function current(): Promise<Keys> {
    if (isDue()) await refresh()
    if (keys) return keys
    throw failure?.error ?? new AuthError('KEYS_UNAVAILABLE', `No keys were read from ${options.url}`)
  }

  function unknownKey(): AuthError {
    return failure?.error ?? invalid('its key is not one of the issuer')
  }

  async function find(header: JWSHeaderParameters): Promise<CryptoKey> {
    if (!isKeyId(header.kid)) throw invalid('it names no key')
    const before = keys
    const used = await current()
    const key = await lookUp(used.find, header)
    if (key) return key
    // Keys that were read for this very call are not read again: what they do not name does not exist.
    if (used === keys && used === before) await refreshForUnknown()
    const again = keys && keys !== used ? await lookUp(keys.find, header) : null
    if (again) return again
    throw unknownKey()
  }

  return { find }
}

/** An id that is absent would let the library pick a key by its type, which is not what AU-5 says. */
function isKeyId(kid: unknown): boolean {
  return typeof kid === 'string' && kid !== '' && kid.length <= 255
}

function invalid(why: string): AuthError {
  return new AuthError('TOKEN_INVALID', `The token is not accepted: ${why}`)
}

async function lookUp(find: Find, header: JWSHeaderParameters): Promise<CryptoKey | null> {
  try {
    return await find(header)
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return null
    throw new AuthError('KEYS_UNAVAILABLE', 'The key set of the issuer holds a key that cannot be used')
  }
}

/** @throws AuthError KEYS_UNAVAILABLE */
async function fetchKeys({ url, send = request, timeoutMs = 3000 }: KeySetOptions): Promise<Find> {
  let answer: Answer
  try {
    answer = await send(url, { timeoutMs })
  } catch (error) {
    const why = error instanceof TransportError ? error.message : `GET ${url} failed`
    throw new AuthError('KEYS_UNAVAILABLE', `The keys of the issuer cannot be read: ${why}`, error)
  }
  const keys = answer.status === 200 ? keysOf(answer.json) : null
  if (keys) return keys
  const why = answer.status === 200 ? 'the answer is no key set' : `the answer has status ${answer.status}`
  throw new AuthError('KEYS_UNAVAILABLE', `The keys of the issuer cannot be read: GET ${url}: ${why}`)
}

/** An empty set is no set: taking it would throw the last good keys away. */
function keysOf(json: unknown): Find | null {
  const keys = (json as { keys?: unknown } | null | undefined)?.keys
  if (!Array.isArray(keys) || keys.length === 0) return null
  try {
    return createLocalJWKSet({ keys })
  } catch {
    return null
  }
}
