import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { call, System, until, type Side } from '../processes.fixture.ts'
import { isBrowserAbsent, launchBrowser, PATIENCE, Windows } from './browser.fixture.ts'
import { Crowd } from './many-services.fixture.ts'
import { buildPage } from './page-system.fixture.ts'

const isAbsent = isBrowserAbsent()
const COUNT = 1000

let system: System
let crowd: Crowd
let coordinator: Side
let browser: Browser
let windows: Windows
let release: string

beforeAll(async () => {
  if (isAbsent) return
  browser = await launchBrowser()
  windows = new Windows(browser)
  system = new System()
  crowd = await Crowd.start(COUNT)
  const page = await buildPage(join(system.folder, 'page'))
  const quiet = { HEALTH_INTERVAL: '365d', POLL_INTERVAL: '0', RATE_LIMIT: '0', DATABASE_SYNC: 'normal' }
  coordinator = await system.coordinator(0, { DASHBOARD_DIR: page, ...quiet })
  const beganAt = performance.now()
  await crowd.register(coordinator.url)
  const registeredAt = performance.now()
  release = await issue()
  const [registering, starting] = [registeredAt - beganAt, performance.now() - registeredAt].map(Math.round)
  console.log(
    `${COUNT} services were registered in ${registering} ms, and had begun after ${starting} ms more`,
  )
}, 240_000)
afterAll(async () => {
  await browser?.close()
  await system?.end()
  await crowd?.end()
})
afterEach(async ({ task }) => {
  if (!isAbsent) expect(await windows.close(task.result?.state === 'fail')).toEqual([])
})

const box = (page: Page) => page.getByRole('region', { name: 'Tasks of the release' })
const rows = (page: Page) => box(page).locator('.task-row:not(.task-head *)')

async function issue(): Promise<string> {
  const { body } = await call('GET', `${coordinator.url}/studies`)
  const studies = [body.results[0].kf_id]
  const made = await call('POST', `${coordinator.url}/releases`, { name: 'A thousand', studies })
  await until(
    async () => crowd.started,
    (count) => count === COUNT,
  )
  return made.body.kf_id
}

/** Scrolls the tasks down and up as fast as the page draws, until it is told to stop. */
const scrollOn = (page: Page) =>
  page.evaluate(() => {
    const shown = globalThis as any
    const tasks = shown.document.querySelector('.tasks-box')
    let step = 160
    const move = () => {
      if (tasks.scrollTop + tasks.clientHeight >= tasks.scrollHeight - 1) step = -160
      if (tasks.scrollTop <= 0) step = 160
      tasks.scrollTop += step
      shown.frames_drawn = (shown.frames_drawn ?? 0) + 1
      if (!shown.stop_scrolling) shown.requestAnimationFrame(move)
    }
    move()
  })

describe.skipIf(isAbsent)(
  'a release of a thousand tasks, at the real coordinator, with services that are one server',
  { timeout: 240_000 },
  () => {
    test('few rows are drawn, the last is reached, no update is lost while one scrolls, requests are bundled', async () => {
      const openedAt = performance.now()
      const { page, requests } = await windows.open({
        url: `${coordinator.url}/releases/${release}`,
        width: 1440,
      })
      await rows(page).nth(5).waitFor()
      console.log(`a thousand tasks were shown after ${Math.round(performance.now() - openedAt)} ms`)
      await page.locator('[data-connection="live"]').waitFor()
      await page.getByRole('heading', { name: `Tasks (${COUNT})` }).waitFor()
      expect(await rows(page).count()).toBeLessThan(100)
      expect(await page.locator('.timeline-box g').count()).toBeLessThan(400)

      // To the end, as a person gets there; what is measured on the way moves the end.
      const last = box(page)
        .getByRole('row')
        .and(page.locator(`[aria-rowindex="${COUNT + 1}"]`))
      await expect
        .poll(
          async () => {
            await box(page).evaluate((one) => (one.scrollTop = one.scrollHeight))
            return last.count()
          },
          { timeout: 30_000 },
        )
        .toBe(1)
      await last.getByRole('link').first().waitFor()
      expect(await rows(page).count()).toBeLessThan(100)

      await scrollOn(page)
      const before = requests.length
      const stormAt = performance.now()
      await crowd.report(coordinator.url, () => ({ state: 'staged', progress: 100 }))
      const stormMs = performance.now() - stormAt
      const facts = page.getByRole('region', { name: 'The release', exact: true })
      await facts.locator('.badge', { hasText: 'staged' }).waitFor({ timeout: 60_000 })
      const settledMs = performance.now() - stormAt
      const frames = await page.evaluate(() => {
        const shown = globalThis as any
        shown.stop_scrolling = true
        return shown.frames_drawn as number
      })
      const asked = requests.slice(before).filter((one) => one.endsWith(`/releases/${release}`)).length
      console.log(
        `${COUNT} reports in ${Math.round(stormMs)} ms: ${requests.length - before} requests, ${asked} for the release, ${frames} frames drawn`,
      )
      // Twice a second because of events, and now and then by itself; each also ends one that had begun.
      expect(asked).toBeLessThanOrEqual(settledMs / 500 + settledMs / 5000 + 3)
      expect(requests.length - before).toBeLessThan(COUNT / 5)

      const states = page.getByRole('region', { name: `Tasks (${COUNT})` }).getByLabel('State')
      expect(await states.locator('option').allTextContents()).toEqual([
        `any (${COUNT})`,
        `staged (${COUNT})`,
      ])
      // What each task went through is told by the events alone, which are read once: none of them was lost.
      await page.getByText('The timeline as a table').click()
      const phases = page
        .getByRole('region', { name: 'Phases of the release and its tasks' })
        .locator('tbody tr')
      const isTold = (texts: readonly string[]) =>
        texts.filter((text) => /running for .*staged for/.test(text)).length
      await expect.poll(async () => isTold(await phases.allTextContents()), PATIENCE).toBe(COUNT + 1)
      await box(page).evaluate((one) => (one.scrollTop = 0))
      await page.getByLabel('Service or id contains').fill('service-0999')
      await expect.poll(() => rows(page).count(), PATIENCE).toBe(1)
      await rows(page).locator('.badge', { hasText: 'staged' }).waitFor()
      await rows(page).getByText('100 %').waitFor()
    })
  },
)
