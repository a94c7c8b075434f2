import { afterEach, expect, test, vi } from 'vitest'
import { isBrowserAbsent } from './browser.fixture.ts'

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

test('without a browser tests are skipped with a note, and in CI they fail', () => {
  const said = vi.spyOn(console, 'warn').mockImplementation(() => {})
  vi.stubEnv('CI', '')
  expect(isBrowserAbsent('/usr/bin/chromium')).toBe(false)
  expect(isBrowserAbsent(null)).toBe(true)
  expect(said.mock.calls).toEqual([['Skipped: Chromium is not installed (apt-get install chromium)']])
  vi.stubEnv('CI', 'true')
  expect(isBrowserAbsent('/usr/bin/chromium')).toBe(false)
  expect(() => isBrowserAbsent(null)).toThrow('Tests need a real browser: Chromium is not installed')
})
