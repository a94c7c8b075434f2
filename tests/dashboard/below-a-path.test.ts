import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { button, isBrowserAbsent, launchBrowser, PATIENCE, Windows } from './browser.fixture.ts'
import { IdentityProvider } from './identity-provider.fixture.ts'
import { PageSystem, type Role } from './page-system.fixture.ts'
import { StrippingProxy } from './stripping-proxy.fixture.ts'

const isAbsent = isBrowserAbsent()

let desk: PageSystem
let proxy: StrippingProxy
let browser: Browser
let windows: Windows
let release: string

beforeAll(async () => {
  if (isAbsent) return
  browser = await launchBrowser()
  windows = new Windows(browser)
  proxy = await StrippingProxy.start('/data/coordinator')
  desk = await PageSystem.start({ PUBLIC_URL: proxy.url })
  proxy.lead(desk.url)
  await desk.register('told-task', await desk.startTold())
  release = await desk.issue('Below a path')
  await desk.reaches(release, 'staged')
}, 60_000)
afterAll(async () => {
  await browser?.close()
  proxy?.end()
  await desk?.end()
})
afterEach(async ({ task }) => {
  if (isAbsent) return
  expect(await windows.close(task.result?.state === 'fail')).toEqual([])
  expect(proxy.strays.filter((one) => one !== 'GET /favicon.ico')).toEqual([])
})

/** A window on a path below that of the proxy. */
async function open(path: string, role: Role | null) {
  const { token, origins } = await desk.at('', role)
  return windows.open({ url: proxy.url + path, token, origins })
}

describe.skipIf(isAbsent)('a page behind a proxy that cuts off a path', { timeout: 60_000 }, () => {
  test('lists the releases, hears the coordinator, and leads to one that is published there', async () => {
    const { page } = await open('/releases?state=staged', 'admin')
    await page.locator('[data-connection="live"]').waitFor()
    await page.getByRole('link', { name: 'Below a path' }).click()
    await page.getByRole('heading', { name: 'Below a path', level: 1 }).waitFor()
    expect(page.url()).toBe(`${proxy.url}/releases/${release}`)
    await page.reload()
    await button(page, 'Publish…').and(page.locator('[aria-disabled="false"]')).click()
    await button(page.getByRole('dialog'), 'Publish').click()
    await page.getByText('Published: its data is public').waitFor()
    for (const place of ['Task services', 'Studies', 'Events', 'Audit']) {
      await page.getByRole('link', { name: place, exact: true }).click()
      await page.getByRole('heading', { name: place, level: 1 }).waitFor()
    }
    expect(page.url()).toBe(`${proxy.url}/audit`)
  })

  test.each(['', '/'])('begins with the releases at its root, "%s"', async (path) => {
    const { page } = await open(path, null)
    await page.getByRole('link', { name: 'Below a path' }).waitFor()
    expect(page.url()).toBe(`${proxy.url}/releases`)
  })

  test('an account elsewhere signs in, and the page goes on where it was', async () => {
    const provider = await IdentityProvider.start()
    try {
      const { folder } = desk.system
      const coordinator = await desk.system.start(
        ['coordinator', '--port', '0', '--data', join(folder, 'oidc')],
        { ...provider.settings, DASHBOARD_DIR: join(folder, 'page'), PUBLIC_URL: proxy.url },
      )
      proxy.lead(coordinator.url)
      const url = `${proxy.url}/events?type=error`
      const { page } = await windows.open({ url, origins: [provider.origin] })
      await button(page, 'Sign in').click()
      await button(page.getByRole('dialog'), 'Sign in').click()
      await page.locator('.account').getByText('ada').waitFor()
      await expect.poll(() => page.url(), PATIENCE).toBe(url)
      await page.getByLabel('Type').waitFor()
    } finally {
      proxy.lead(desk.url)
      await provider.end()
    }
  })

  test('is there without the proxy as well, for who is on its machine', async () => {
    const { page } = await windows.open({ ...(await desk.at(`/releases/${release}`, null)) })
    await page.getByRole('heading', { name: 'Below a path', level: 1 }).waitFor()
    await expect.poll(() => page.locator('[data-connection="live"]').count(), PATIENCE).toBe(1)
  })
})
