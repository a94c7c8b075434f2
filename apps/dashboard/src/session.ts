/** Who uses the page, as far as the page knows. Times are epoch ms. */
export type Session =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'signed-in'; readonly token: string; readonly expiresAt: number }
  /** The token is worth nothing any more: the person is asked to sign in again. */
  | { readonly kind: 'expired' }

/** The part of `Storage` that is needed. */
export type Store = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>

const KEY = 'release-dashboard.session'
const MOST_TIMER_MS = 2 ** 31 - 1

/** Keeps the token for as long as the tab is open, in no place that outlives it. */
export class SessionStore {
  readonly #store: Store
  readonly #now: () => number
  readonly #listeners = new Set<() => void>()
  #state: Session
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(store: Store, now: () => number = Date.now) {
    this.#store = store
    this.#now = now
    this.#state = readSession(store.getItem(KEY), now())
    this.#arm()
  }

  /** For `useSyncExternalStore`. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  readonly state = (): Session => this.#state

  readonly token = (): string | null => (this.#state.kind === 'signed-in' ? this.#state.token : null)

  /** @param expiresInS seconds, as the issuer said */
  signIn(token: string, expiresInS: number): void {
    const state = { kind: 'signed-in', token, expiresAt: this.#now() + expiresInS * 1000 } as const
    this.#store.setItem(KEY, JSON.stringify({ token, expiresAt: state.expiresAt }))
    this.#enter(state)
  }

  signOut(): void {
    this.#store.removeItem(KEY)
    this.#enter({ kind: 'anonymous' })
  }

  /** The coordinator does not know this token any more; a newer one is not touched. */
  expire(token: string): void {
    if (token !== this.token()) return
    this.#store.removeItem(KEY)
    this.#enter({ kind: 'expired' })
  }

  #enter(state: Session): void {
    this.#state = state
    this.#arm()
    for (const listener of this.#listeners) listener()
  }

  #arm(): void {
    clearTimeout(this.#timer)
    if (this.#state.kind !== 'signed-in') return
    const { token, expiresAt } = this.#state
    const left = Math.max(0, expiresAt - this.#now())
    // A longer time than a timer can count is looked at again when the page is.
    if (left <= MOST_TIMER_MS) this.#timer = setTimeout(() => this.expire(token), left)
  }
}

/** What was kept, if it still counts. Pure. */
export function readSession(text: string | null, now: number): Session {
  try {
    const kept = JSON.parse(text ?? 'null') as { token?: unknown; expiresAt?: unknown } | null
    if (typeof kept?.token !== 'string' || typeof kept.expiresAt !== 'number') return { kind: 'anonymous' }
    if (kept.expiresAt <= now) return { kind: 'expired' }
    return { kind: 'signed-in', token: kept.token, expiresAt: kept.expiresAt }
  } catch {
    return { kind: 'anonymous' }
  }
}

/** The session storage of the tab, or memory where the browser has none for this page. */
export function openStore(storage: () => Store): Store {
  try {
    const store = storage()
    store.setItem(`${KEY}.probe`, '')
    store.removeItem(`${KEY}.probe`)
    return store
  } catch {
    return memoryStore()
  }
}

function memoryStore(): Store {
  const kept = new Map<string, string>()
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  }
}
