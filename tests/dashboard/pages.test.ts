import { AxeBuilder } from '@axe-core/playwright'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { button, isBrowserAbsent, launchBrowser, PATIENCE, Windows } from './browser.fixture.ts'
import { PageSystem } from './page-system.fixture.ts'

const isAbsent = isBrowserAbsent()

let desk: PageSystem
let browser: Browser
let windows: Windows
const ids: Record<'service' | 'study' | 'published' | 'failed' | 'canceled' | 'staged' | 'running', string> =
  {
    service: '',
    study: '',
    published: '',
    failed: '',
    canceled: '',
    staged: '',
    running: '',
  }

const DESCRIPTION = [
  '# A heading\n\nText with **weight**, `code`, a [link](/studies) and a list:\n\n- one\n- two\n',
  'https://example.org/a-word-that-no-screen-of-a-telephone-can-hold-in-one-line-because-it-has-no-space',
].join('\n')

beforeAll(async () => {
  if (isAbsent) return
  browser = await launchBrowser()
  desk = await PageSystem.start()
  windows = new Windows(browser)
  const [told, reference] = await Promise.all([desk.startTold(), desk.startTask('reference-task')])
  ids.service = await desk.register('told-task', told)
  ids.study = (await desk.ask('GET', '/studies')).results[0].kf_id
  ids.canceled = await desk.issue('Canceled')
  await desk.reaches(ids.canceled, 'staged')
  await desk.ask('DELETE', `/releases/${ids.canceled}`)
  const other = await desk.register(
    'a-service-with-a-name-that-is-as-long-as-names-of-services-may-become-somewhere',
    reference,
  )
  await desk.takePart(ids.service)
  desk.tell('fail')
  ids.failed = await desk.issue('Failed')
  await desk.reaches(ids.failed, 'failed')
  desk.tell('go')
  ids.published = await desk.issue('Published', {
    description: DESCRIPTION,
    tags: ['spring'],
    is_major: true,
  })
  await desk.reaches(ids.published, 'staged')
  await desk.ask('POST', `/releases/${ids.published}/publish`)
  for (const study of [null, `/studies/${ids.study}`])
    await desk.ask('POST', '/release-notes', {
      release: `/releases/${ids.published}`,
      study,
      description: DESCRIPTION,
    })
  await desk.reaches(ids.published, 'published')
  ids.staged = await desk.issue(
    'Staged: a name of many words, which is as long as people make them at the end of a long day',
  )
  await desk.reaches(ids.staged, 'staged')
  await desk.takePart(ids.service, other)
  desk.tell('hold')
  ids.running = await desk.issue('Running')
  await desk.reaches(ids.running, 'running')
}, 90_000)
afterAll(async () => {
  await browser?.close()
  await desk?.end()
})
afterEach(async ({ task }) => {
  if (!isAbsent) expect(await windows.close(task.result?.state === 'fail')).toEqual([])
})

/** A page, how one knows that it is there, and what is done before one looks. */
interface Look {
  readonly name: string
  readonly path: () => string
  readonly there: string | RegExp
  readonly before?: (page: Page) => Promise<void>
  readonly nobody?: true
  /** Errors that belong to it. */
  readonly expects?: RegExp
}

const dialogOf = (name: string) => async (page: Page) => {
  await button(page, name).click()
  await page.getByRole('dialog').getByRole('button').last().waitFor()
}

const LOOKS: readonly Look[] = [
  { name: 'releases', path: () => '/releases', there: /\d running/ },
  {
    name: 'releases, none found',
    path: () => '/releases?name=nothing',
    there: 'No release fits these filters.',
  },
  { name: 'a new release', path: () => '/releases/new', there: 'takes part' },
  { name: 'a release that is published', path: () => `/releases/${ids.published}`, there: 'A heading' },
  { name: 'a release that failed', path: () => `/releases/${ids.failed}`, there: 'Last error:' },
  {
    name: 'a release that was canceled',
    path: () => `/releases/${ids.canceled}`,
    there: 'Canceled: nothing more',
  },
  { name: 'a release that is staged', path: () => `/releases/${ids.staged}`, there: 'Waits for a person' },
  { name: 'a release that runs', path: () => `/releases/${ids.running}`, there: 'copied 4 of 10 files' },
  {
    name: 'a release that is not there',
    path: () => '/releases/RE_00000000',
    there: 'Not found.',
    expects: /404/,
  },
  {
    name: 'publishing',
    path: () => `/releases/${ids.staged}`,
    there: 'What is public cannot be taken back from here.',
    before: dialogOf('Publish…'),
  },
  {
    name: 'canceling',
    path: () => `/releases/${ids.running}`,
    there: 'A canceled release does not go on',
    before: dialogOf('Cancel the release…'),
  },
  {
    name: 'writing',
    path: () => `/releases/${ids.published}`,
    there: 'Save note',
    before: async (page) => {
      await button(page, 'Edit description').click()
      await button(page, 'Write a note on the whole release').click()
    },
  },
  { name: 'task services', path: () => '/task-services', there: 'told-task' },
  {
    name: 'registering',
    path: () => '/task-services',
    there: 'Name, description, author and address are needed.',
    before: (page) => button(page, 'Register a service').click(),
  },
  { name: 'a task service', path: () => `/task-services/${ids.service}`, there: 'told-task of the tests' },
  {
    name: 'removing a service',
    path: () => `/task-services/${ids.service}`,
    there: 'It is taken out of the register',
    before: dialogOf('Remove…'),
  },
  { name: 'studies', path: () => '/studies', there: 'Newest release' },
  { name: 'a study', path: () => `/studies/${ids.study}`, there: 'A heading' },
  { name: 'tasks', path: () => '/tasks', there: /the service reports failed/ },
  { name: 'notes', path: () => '/release-notes', there: 'A heading' },
  { name: 'events', path: () => '/events', there: /changed from .* to running/ },
  { name: 'audit', path: () => '/audit', there: 'release.publish' },
  { name: 'audit of nobody', path: () => '/audit', there: 'Only admins read the audit trail.', nobody: true },
  {
    name: 'signing in',
    path: () => '/releases',
    there: 'Choose a role to try.',
    nobody: true,
    before: dialogOf('Sign in'),
  },
  {
    name: 'signed in without having begun',
    path: () => '/signed-in?code=x',
    there: 'You are not signed in.',
    nobody: true,
  },
]

interface Violation {
  readonly id: string
  readonly impact: string
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[]
}

/** Brings axe into a page, where it stays. */
async function bringAxe(page: Page): Promise<void> {
  await new AxeBuilder({ page }).setLegacyMode(true).withRules(['document-title']).analyze()
}

/** What axe finds that keeps people out, with where. */
async function barriers(page: Page): Promise<string[]> {
  const violations = await page.evaluate(
    async (given): Promise<Violation[]> => (await (globalThis as any).axe.run(given)).violations,
    { resultTypes: ['violations'] },
  )
  return violations
    .filter(({ impact }) => impact !== 'minor')
    .flatMap(({ id, impact, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${impact} ${id}: ${html.slice(0, 200)} ${failureSummary}`),
    )
}

/** Changes the theme of the system, and waits until all of the page has taken it. */
async function turn(page: Page, theme: 'light' | 'dark'): Promise<void> {
  await page.emulateMedia({ colorScheme: theme })
  await page.locator(`html[data-mantine-color-scheme="${theme}"]`).waitFor()
  // Also the shortest transition takes a frame.
  await page.evaluate(async () => {
    const shown = globalThis as any
    for (let frame = 0; frame < 2; frame++) await new Promise(shown.requestAnimationFrame)
    await Promise.all(shown.document.getAnimations().map((one: any) => one.finished.catch(() => {})))
  })
}

/** By how many pixels the page is wider than the window, and what sticks out. */
const sticksOut = (page: Page) =>
  page.evaluate(() => {
    const { document, innerWidth } = globalThis as any
    return document.documentElement.scrollWidth > innerWidth
      ? document.documentElement.scrollWidth - innerWidth
      : 0
  })

/** The words of buttons that are wider than what is drawn of them. */
const cutWords = (page: Page) =>
  page.evaluate((): string[] =>
    // It runs in the page; the tests are compiled without the types of a browser.
    [...(globalThis as any).document.querySelectorAll('button, button *')]
      .filter((one) => one.clientWidth > 0 && one.scrollWidth > one.clientWidth + 1)
      .map((one) => String(one.textContent)),
  )

describe.skipIf(isAbsent)(
  'every page, in both themes, on a desk and on a telephone',
  { timeout: 120_000 },
  () => {
    test.each(LOOKS)('$name', async ({ path, there, before, nobody, expects = /^$/ }) => {
      const { page, expects: awaits } = await windows.open({
        ...(await desk.at(path(), nobody ? null : 'admin')),
        width: 1440,
      })
      awaits(expects)
      await page.locator('[data-connection="live"]').waitFor()
      await before?.(page)
      await page.getByText(there).first().waitFor()
      await expect.poll(() => page.locator('[aria-busy="true"]').count(), PATIENCE).toBe(0)
      await bringAxe(page)
      const found: string[] = []
      for (const width of [1440, 390]) {
        await page.setViewportSize({ width, height: 900 })
        const wide = await sticksOut(page)
        if (wide > 0) found.push(`at ${width} px it is ${wide} px too wide`)
        for (const words of await cutWords(page)) found.push(`at ${width} px this is cut: ${words}`)
        for (const colorScheme of ['light', 'dark'] as const) {
          await turn(page, colorScheme)
          found.push(...(await barriers(page)).map((barrier) => `${width} ${colorScheme} ${barrier}`))
        }
      }
      expect(found).toEqual([])
    })
  },
)
