import { expect, test } from 'vitest'
import { openStore } from './session.ts'
import { mayReload, part, PartMissing } from './stale-build.ts'

test('a page is loaded anew once, and again only much later', () => {
  const store = openStore(() => {
    throw new Error('no storage')
  })
  expect(mayReload(store, 1000)).toBe(true)
  expect(mayReload(store, 30_000)).toBe(false)
  expect(mayReload(store, 62_000)).toBe(true)
})

test('what could not be fetched is known as such, with its cause', async () => {
  const cause = new TypeError('Failed to fetch')
  const failed = part(() => Promise.reject(cause))().catch((error: unknown) => error)
  expect(await failed).toBeInstanceOf(PartMissing)
  expect(await failed).toMatchObject({ cause })
  expect(await part(async () => 1)()).toBe(1)
})
