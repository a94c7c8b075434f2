import { describe, expect, test, vi } from 'vitest'
import { openStore, readSession, SessionStore } from './session.ts'

const memory = () =>
  openStore(() => {
    throw new Error('storage is switched off')
  })

describe('a session', () => {
  test('is kept for the next load of the page', () => {
    const store = memory()
    new SessionStore(store).signIn('T', 60)
    expect(new SessionStore(store).token()).toBe('T')
  })

  test('expires by itself, says so, and the token is gone', () => {
    vi.useFakeTimers()
    const session = new SessionStore(memory())
    const heard = vi.fn()
    session.subscribe(heard)
    session.signIn('T', 60)
    vi.advanceTimersByTime(60_001)
    vi.useRealTimers()
    expect(session.state()).toEqual({ kind: 'expired' })
    expect(session.token()).toBeNull()
    expect(heard).toHaveBeenCalledTimes(2)
  })

  test('a late refusal of an older token does not end a newer session', () => {
    const session = new SessionStore(memory())
    session.signIn('new', 60)
    session.expire('old')
    expect(session.token()).toBe('new')
    session.expire('new')
    expect(session.state().kind).toBe('expired')
  })

  test('signing out leaves nothing behind', () => {
    const store = memory()
    const session = new SessionStore(store)
    session.signIn('T', 60)
    session.signOut()
    expect(session.state()).toEqual({ kind: 'anonymous' })
    expect(new SessionStore(store).state()).toEqual({ kind: 'anonymous' })
  })
})

test.each([
  [null, 'anonymous'],
  ['{broken', 'anonymous'],
  ['{"token":1}', 'anonymous'],
  ['{"token":"T","expiresAt":100}', 'expired'],
  ['{"token":"T","expiresAt":101}', 'signed-in'],
])('kept as %s, it is %s', (text, kind) => expect(readSession(text, 100).kind).toBe(kind))
