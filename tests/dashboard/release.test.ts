import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Side } from '../processes.fixture.ts'
import {
  button,
  isBrowserAbsent,
  PATIENCE,
  launchBrowser,
  SLOWNESS,
  Windows,
  type WindowOptions,
} from './browser.fixture.ts'
import { PageSystem, type Role } from './page-system.fixture.ts'
import { STUMBLE, WHY } from './told.task.ts'

const isAbsent = isBrowserAbsent()

let desk: PageSystem
let browser: Browser
let windows: Windows
let reference: Side
let told: Side
let toldId: string
let referenceId: string

beforeAll(async () => {
  if (isAbsent) return
  browser = await launchBrowser()
  desk = await PageSystem.start()
  windows = new Windows(browser)
  ;[reference, told] = await Promise.all([desk.startTask('reference-task'), desk.startTold()])
  toldId = await desk.register('told-task', told)
}, 60_000)
afterAll(async () => {
  await browser?.close()
  await desk?.end()
})
afterEach(async ({ task }) => {
  if (isAbsent) return
  desk.tell('go')
  expect(await windows.close(task.result?.state === 'fail')).toEqual([])
})

const open = async (path: string, role: Role | null, more: Partial<WindowOptions> = {}) =>
  windows.open({ ...(await desk.at(path, role)), ...more })

/** The state of the release that a page is about, with whatever else is said in that line. */
const stateOn = (page: Page, state: string) =>
  page.getByRole('region', { name: 'The release', exact: true }).locator('.badge', { hasText: state })

async function sees(page: Page, state: string): Promise<void> {
  // The work of the reference task takes its time where others use the disk as well.
  await stateOn(page, state).waitFor({ timeout: 60_000 })
}

/** What stands under a heading of the task table, for the one task that takes part. */
async function cellOf(page: Page, column: string): Promise<string> {
  const table = page.getByRole('table', { name: 'Tasks' })
  const columns = await table.getByRole('columnheader').allInnerTexts()
  return table.getByRole('cell').nth(columns.indexOf(column)).innerText()
}

/** The told task alone takes part, in a release that it holds. @returns the id of the release */
async function heldRelease(name: string): Promise<string> {
  desk.tell('hold')
  await desk.takePart(toldId)
  const id = await desk.issue(name)
  await desk.reaches(id, 'running')
  return id
}

async function stagedRelease(name: string): Promise<string> {
  await desk.takePart(toldId)
  const id = await desk.issue(name)
  await desk.reaches(id, 'staged')
  return id
}

describe.skipIf(isAbsent)('a release in a browser', { timeout: 120_000 }, () => {
  test('a service is registered, a release is made, becomes staged and is published, all by hand', async () => {
    await desk.takePart()
    const { page } = await open('/task-services', 'admin')
    await button(page, 'Register a service').click()
    const form = page.getByRole('form', { name: 'Register a task service' })
    const fields = {
      Name: 'reference-task',
      Description: 'copies records',
      Author: 'ada',
      Address: reference.url,
    }
    for (const [label, text] of Object.entries(fields)) await form.getByLabel(label).fill(text)
    await button(form, 'Register').click()
    await page.getByRole('heading', { name: 'reference-task', level: 1 }).waitFor()
    referenceId = new URL(page.url()).pathname.split('/').at(-1) ?? ''
    expect((await desk.ask('GET', `/task-services/${referenceId}`)).url).toBe(reference.url)

    await page.getByRole('link', { name: 'Releases', exact: true }).click()
    await button(page, 'New release').click()
    await page.getByLabel(/^Name/).fill('Spring')
    for (const study of await page.getByRole('checkbox').all()) await study.check()
    await page
      .getByRole('list', { name: 'Services that will take part' })
      .getByText('reference-task')
      .waitFor()
    await button(page, 'Make the release').click()
    await page.getByRole('heading', { name: 'Spring', level: 1 }).waitFor()
    await sees(page, 'staged')
    expect(await cellOf(page, 'Attempt')).toBe('1')

    await button(page, 'Publish…').click()
    const dialog = page.getByRole('dialog', { name: 'Publish Spring?' })
    await dialog.getByText('1 service will publish: reference-task.').waitFor()
    await dialog.getByText('You do this as dev-admin').waitFor()
    const release = new URL(page.url()).pathname
    expect((await desk.ask('GET', release)).state).toBe('staged')
    await button(dialog, 'Publish').click()
    await page.getByText('Published: its data is public as version 0.1.0.').waitFor()
    await sees(page, 'published')
    await page.getByText('The timeline as a table').click()
    const phases = page.getByRole('region', { name: 'Phases of the release and its tasks' }).getByRole('row')
    await phases.nth(2).waitFor()
    const said = await phases.allInnerTexts()
    expect(said.map((text) => text.split(/\s/)[0])).toEqual(['Of', 'Release', 'reference-task'])
    for (const text of said.slice(1))
      expect(text).toMatch(/running for .*staged for .*publishing for .*published .* after the beginning/s)
    expect(await desk.ask('GET', release)).toMatchObject({ state: 'published', version: '0.1.0' })
  })

  test('a timeline that has no width for a moment keeps its bars', async () => {
    const id = await heldRelease('No width')
    const { page } = await open(`/releases/${id}`, 'admin')
    const bars = page.locator('.timeline-box rect')
    await bars.first().waitFor()
    // What looks at sizes is told after the next frame.
    const squeeze = (width: string) =>
      page.evaluate(`document.querySelector('.timeline').style.width = '${width}'
        new Promise((seen) => requestAnimationFrame(() => requestAnimationFrame(seen)))`)
    await squeeze('0px')
    expect(await bars.count()).toBeGreaterThan(0)
    await squeeze('')
    expect(await bars.first().isVisible()).toBe(true)
  })

  test('a release is canceled in the middle of its work, after asking', async () => {
    const id = await heldRelease('In the middle')
    const { page } = await open(`/releases/${id}`, 'admin')
    await sees(page, 'running')
    await page.getByText('copied 4 of 10 files').waitFor()
    await button(page, 'Cancel the release…').click()
    const dialog = page.getByRole('dialog', { name: 'Cancel In the middle?' })
    await dialog.getByText('1 service will throw away what was prepared: told-task.').waitFor()
    await button(dialog, 'Back').click()
    await dialog.waitFor({ state: 'detached' })
    expect((await desk.ask('GET', `/releases/${id}`)).state).toBe('running')
    await button(page, 'Cancel the release…').click()
    await button(dialog, 'Cancel the release').click()
    await sees(page, 'canceled')
    await page.getByText('Canceled: nothing more will happen.').waitFor()
    await page.getByRole('row').getByText('canceled').waitFor()
  })

  test('the error of a task that fails is shown in full, as text, wherever one looks', async () => {
    desk.tell('fail')
    await desk.takePart(toldId)
    const id = await desk.issue('Goes wrong')
    const { page } = await open(`/releases/${id}`, 'viewer')
    await sees(page, 'failed')
    for (const width of [1440, 390]) {
      await page.setViewportSize({ width, height: 900 })
      const said = page.getByRole('table', { name: 'Tasks' }).getByText('Last error:')
      await said.waitFor()
      // As it is drawn: what is cut by the style of a page is not there.
      expect(await said.innerText()).toBe(`Last error: the service reports failed: ${WHY}`)
      const box = await said.evaluate((one) => [
        one.scrollWidth - one.clientWidth,
        one.scrollHeight - one.clientHeight,
      ])
      expect(box.every((hidden) => hidden <= 1)).toBe(true)
    }
    await page.getByRole('alert').getByText('The table "genomic_files" has 3 rows').waitFor()
    await page.getByText('Failed, and stopped').waitFor()
  })

  test('a task that failed once is tried again: the attempt is counted, its error stays until it is staged', async () => {
    desk.tell('stumble')
    await desk.takePart(toldId)
    const id = await desk.issue('Stumbles')
    const { page } = await open(`/releases/${id}`, 'viewer')
    const error = page.getByRole('table', { name: 'Tasks' }).getByText('Last error:')
    await expect.poll(() => cellOf(page, 'Attempt'), PATIENCE).toBe('2')
    expect(await error.innerText()).toContain(STUMBLE)
    expect(await stateOn(page, 'running').count()).toBe(1)
    desk.tell('go')
    await sees(page, 'staged')
    await error.waitFor({ state: 'detached' })
    expect(await cellOf(page, 'Attempt')).toBe('2')
  })

  test('whoever may not publish is told why; the local issuer signs in and out', async () => {
    const id = await stagedRelease('Not by everybody')
    const { page } = await open(`/releases/${id}`, null)
    const publish = button(page, 'Publish…')
    const described = () =>
      publish.evaluate((one) => [
        one.getAttribute('aria-disabled'),
        one.ownerDocument.getElementById(one.getAttribute('aria-describedby') ?? '')?.textContent,
      ])
    await sees(page, 'staged')
    await expect.poll(described, PATIENCE).toEqual(['true', 'Needs the role admin: sign in first.'])
    await button(page, 'Sign in').click()
    await button(page.getByRole('dialog'), /^Viewer/).click()
    await page.getByText('dev-user').waitFor()
    await expect.poll(described, PATIENCE).toEqual(['true', 'Needs the role admin; yours is viewer.'])
    await publish.click({ force: true })
    await publish.press('Enter')
    expect(await page.getByRole('dialog').count()).toBe(0)
    expect((await desk.ask('GET', `/releases/${id}`)).state).toBe('staged')

    await button(page, 'Sign out').click()
    await button(page, 'Sign in').click()
    await button(page.getByRole('dialog'), /^Admin/).click()
    await expect.poll(described, PATIENCE).toEqual(['false', undefined])
    await publish.click()
    await page.getByRole('dialog', { name: /^Publish/ }).waitFor()
  })

  test('two windows see the same change within a second', async () => {
    const id = await heldRelease('Seen twice')
    const opened = await Promise.all([open(`/releases/${id}`, 'admin'), open('/releases?name=twice', null)])
    const states = opened.map(({ page }) => page.locator('.badge', { hasText: /canceling|canceled/ }).first())
    for (const { page } of opened) {
      await page.locator('.badge', { hasText: 'running' }).first().waitFor()
      await page.locator('[data-connection="live"]').waitFor()
    }
    await desk.ask('DELETE', `/releases/${id}`)
    await Promise.all(states.map((state) => state.waitFor({ timeout: 1000 * SLOWNESS })))
  })

  test('a coordinator that is killed is lost, nothing is offered; it comes back and the page shows how things are', async () => {
    const id = await heldRelease('Lost and found')
    const { page, expects } = await open(`/releases/${id}`, 'admin')
    expects(/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/)
    await sees(page, 'running')
    await page.locator('[data-connection="live"]').waitFor()
    const port = Number(new URL(desk.url).port)
    await desk.coordinator.kill('SIGKILL')
    await page.getByText('This page is old.').waitFor()
    await page.locator('[data-connection="lost"]').getByText('Lost since').waitFor()
    await page.getByText('The connection is lost, and this page may be old.').first().waitFor()
    await button(page, 'Cancel the release…').click({ force: true })
    expect(await page.getByRole('dialog').count()).toBe(0)
    expect(await button(page, /Edit description|Write a note/).count()).toBe(0)
    // Meanwhile the work is done; the page cannot know.
    desk.tell('go')
    expect(await stateOn(page, 'running').count()).toBe(1)
    await desk.startCoordinator(port)
    await page.locator('[data-connection="live"]').waitFor({ timeout: 45_000 })
    await page.getByText('This page is old.').waitFor({ state: 'detached' })
    await sees(page, 'staged')
    await expect.poll(() => button(page, 'Publish…').getAttribute('aria-disabled'), PATIENCE).toBe('false')
  })

  test('with the keyboard alone: a release is made and published, one sees where one is, and comes back there', async () => {
    await desk.takePart(toldId)
    const { page } = await open('/releases', 'admin')
    await button(page, 'New release').waitFor()
    await page.keyboard.press('Tab')
    expect(await page.evaluate(focused)).toMatchObject({ text: 'Skip to content', isSeen: true })
    await tabTo(page, 'New release')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'New release', level: 1 }).waitFor()
    await tabTo(page, /^Name/)
    await page.keyboard.type('By keyboard')
    await page.getByRole('checkbox').first().waitFor()
    await tabTo(page, /SD_/)
    await page.keyboard.press('Space')
    await tabTo(page, 'Make the release')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'By keyboard', level: 1 }).waitFor()
    await sees(page, 'staged')

    await tabTo(page, 'Publish…')
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog', { name: 'Publish By keyboard?' })
    await expect.poll(() => page.evaluate(focusedName), PATIENCE).toBe('Back')
    expect(await page.evaluate(focused)).toMatchObject({ text: 'Back', isSeen: true })
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    await expect.poll(() => page.evaluate(focusedName), PATIENCE).toBe('Publish…')
    expect(await page.evaluate(focused)).toMatchObject({ text: 'Publish…', isSeen: true })
    await page.keyboard.press('Enter')
    await expect.poll(() => page.evaluate(focusedName), PATIENCE).toBe('Back')
    // The focus goes round in the dialog and does not leave it.
    const seen = new Set<string>()
    for (let step = 0; step < 6; step++) {
      await page.keyboard.press('Tab')
      seen.add(await page.evaluate(focusedName))
    }
    expect([...seen].toSorted()).toEqual(['Back', 'Close', 'Publish'])
    await tabTo(page, 'Publish')
    await page.keyboard.press('Enter')
    await sees(page, 'published')
    await dialog.waitFor({ state: 'detached' })
    await expect.poll(() => page.evaluate(focusedName), PATIENCE).toBe('Publish…')
  })

  test('whoever wants less motion gets none', async () => {
    const id = await stagedRelease('Still')
    const longest = async (motion: 'reduce' | 'no-preference') => {
      const { page } = await open(`/releases/${id}`, 'admin', { motion })
      await expect.poll(() => button(page, 'Publish…').getAttribute('aria-disabled'), PATIENCE).toBe('false')
      await page.evaluate(noteMotion)
      await button(page, 'Publish…').click()
      await button(page.getByRole('dialog'), 'Publish').waitFor()
      return page.evaluate(() => (globalThis as any).longestMotion as number)
    }
    // The first shows that the second could have been otherwise.
    expect(await longest('no-preference')).toBeGreaterThan(0.05)
    expect(await longest('reduce')).toBeLessThan(0.001)
  })
})

/** Runs in the page: what has the focus, by its name. For whoever waits: it leaves the focus where it is. */
function focusedName(): string {
  // It runs in the page; the tests are compiled without the types of a browser.
  const one = (globalThis as any).document.activeElement
  return String(one.getAttribute('aria-label') ?? one.labels?.[0]?.textContent ?? one.textContent).trim()
}

/**
 * Runs in the page: what has the focus, by its name, and whether one sees that it has. It takes the focus away and gives
 * it back, so nothing may be about to move it.
 */
async function focused(): Promise<{ text: string; isSeen: boolean }> {
  const page = globalThis as any
  const one = page.document.activeElement
  const named = one.getAttribute('aria-label') ?? one.labels?.[0]?.textContent ?? one.textContent
  const look = async () => {
    // Also the shortest transition takes a frame.
    for (let frame = 0; frame < 2; frame++) await new Promise(page.requestAnimationFrame)
    const { outlineStyle, outlineWidth, boxShadow, borderColor } = page.getComputedStyle(one)
    return [outlineStyle === 'none' ? '' : outlineWidth, boxShadow, borderColor].join(' ')
  }
  const withFocus = await look()
  one.blur()
  const without = await look()
  one.focus()
  return { text: String(named).trim(), isSeen: withFocus !== without }
}

/** Presses Tab until what is so called has the focus, and sees at each step where one is. */
async function tabTo(page: Page, name: string | RegExp): Promise<void> {
  const way: string[] = []
  for (let step = 0; step < 60; step++) {
    await page.keyboard.press('Tab')
    const { text, isSeen } = await page.evaluate(focused)
    way.push(text)
    if (!isSeen) throw new Error(`One does not see that "${text}" has the focus`)
    if (typeof name === 'string' ? text === name : name.test(text)) return
  }
  throw new Error(`No way to ${name} by Tab, only to ${way.join(', ')}`)
}

/** Runs in the page: the longest transition or animation in seconds that anything has from now on. */
function noteMotion(): void {
  const page = globalThis as any
  page.longestMotion = 0
  const seconds = (text: string) => Math.max(...text.split(',').map((one) => Number.parseFloat(one) || 0))
  const look = () => {
    for (const one of page.document.querySelectorAll('*')) {
      const { transitionDuration, animationName, animationDuration } = page.getComputedStyle(one)
      const animated = animationName === 'none' ? 0 : seconds(animationDuration)
      page.longestMotion = Math.max(page.longestMotion, seconds(transitionDuration), animated)
    }
  }
  new page.MutationObserver(look).observe(page.document.body, {
    childList: true,
    subtree: true,
    attributes: true,
  })
  look()
}
