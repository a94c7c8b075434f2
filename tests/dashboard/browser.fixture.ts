import { accessSync, constants, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { chromium, type Browser, type BrowserContext, type Locator, type Page } from 'playwright-core'

/** Where systems put the browser; the first that is there is taken. */
const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/snap/bin/chromium',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

/** The path of an installed Chromium; null where there is none. */
export function browserPath(): string | null {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const named = folders.flatMap((folder) => [join(folder, 'chromium'), join(folder, 'google-chrome')])
  return [...PLACES, ...named].find(isProgram) ?? null
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * Whether tests that need a browser must be skipped, because none is installed.
 * @throws in CI, where a skipped test would look like one that passed
 */
export function isBrowserAbsent(path = browserPath()): boolean {
  if (path !== null) return false
  const message = 'Chromium is not installed (apt-get install chromium)'
  if (process.env['CI']) throw new Error(`Tests need a real browser: ${message}`)
  console.warn(`Skipped: ${message}`)
  return true
}

/** The installed Chromium, without a window. Nothing is downloaded. */
export function launchBrowser(): Promise<Browser> {
  const executablePath = browserPath()
  if (executablePath === null) throw new Error('There is no browser')
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-background-networking'] })
}

/** A button by its name. */
export const button = (place: Page | Locator, name: string | RegExp): Locator =>
  place.getByRole('button', { name, ...(typeof name === 'string' ? { exact: true } : {}) })

/** How slow a machine may be: what a person would wait for here, a busy CI may take longer for. */
export const SLOWNESS = process.env['CI'] ? 5 : 1
/** How long anything is waited for; less than a test may take, so that the test says what did not come. */
const WAIT_MS = process.env['CI'] ? 40_000 : 15_000
/** For `expect.poll`, which else gives up after a second. */
export const PATIENCE = { timeout: WAIT_MS }

export interface WindowOptions {
  /** Of the page that is opened. */
  readonly url: string
  /** Whoever is signed in from the start; null: nobody. */
  readonly token?: string | null
  readonly width?: number
  readonly height?: number
  readonly theme?: 'light' | 'dark'
  readonly motion?: 'reduce' | 'no-preference'
  /** Origins that may be asked besides the page's own. */
  readonly origins?: readonly string[]
}

/** A window of its own, as another person's: nothing is shared with others, and everything that it does is watched. */
export interface Window {
  readonly page: Page
  readonly context: BrowserContext
  /** Method and address of every request so far. */
  readonly requests: readonly string[]
  /** What no page may do: ask another machine, write errors, break the policy, throw. Each once it happened. */
  problems(): string[]
  /** From now on, errors with these words are what the test is about. */
  expects(words: RegExp): void
}

/** Opens windows for one test file, and looks after each test what they did. */
export class Windows {
  readonly #browser: Browser
  #open: Window[] = []

  constructor(browser: Browser) {
    this.#browser = browser
  }

  async open(options: WindowOptions): Promise<Window> {
    const { url, token = null, width = 1280, height = 900, theme = 'light', motion = 'reduce' } = options
    const context = await this.#browser.newContext({
      viewport: { width, height },
      colorScheme: theme,
      reducedMotion: motion,
      locale: 'en-GB',
    })
    context.setDefaultTimeout(WAIT_MS)
    const { origin } = new URL(url)
    await context.addInitScript(begin, { origin, token })
    const opened = watch(context, await context.newPage(), [origin, ...(options.origins ?? [])])
    this.#open.push(opened)
    await opened.page.goto(url)
    return opened
  }

  /**
   * Closes what the test opened. Of a test that failed, pictures are kept.
   * @returns what went wrong without a test having looked at it
   */
  async close(hasFailed: boolean): Promise<string[]> {
    const windows = this.#open
    this.#open = []
    if (hasFailed) await keepPictures(windows)
    await Promise.all(windows.map(({ context }) => context.close()))
    return windows.flatMap((one) => one.problems())
  }
}

/** Runs in the page before its own scripts. */
function begin({ origin, token }: { origin: string; token: string | null }): void {
  const page = globalThis as any
  page.document.addEventListener('securitypolicyviolation', (event: any) =>
    console.error(`policy violation: ${event.violatedDirective} ${event.blockedURI}`),
  )
  const key = 'release-dashboard.session'
  if (token === null || page.location.origin !== origin || page.sessionStorage.getItem(key)) return
  page.sessionStorage.setItem(key, JSON.stringify({ token, expiresAt: Date.now() + 3_000_000 }))
}

function watch(context: BrowserContext, page: Page, origins: readonly string[]): Window {
  const requests: string[] = []
  const found: string[] = []
  const expected: RegExp[] = []
  context.on('request', (request) => {
    requests.push(`${request.method()} ${request.url()}`)
    const url = new URL(request.url())
    if (url.protocol !== 'data:' && url.protocol !== 'blob:' && !origins.includes(url.origin))
      found.push(`a request to another place: ${request.url()}`)
  })
  context.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning')
      found.push(`${message.type()}: ${message.text()} (${message.location().url})`)
  })
  context.on('weberror', (error) => found.push(`uncaught: ${error.error().message}`))
  return {
    page,
    context,
    requests,
    problems: () => found.filter((one) => !expected.some((words) => words.test(one))),
    expects: (words) => void expected.push(words),
  }
}

async function keepPictures(windows: readonly Window[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'release-page-'))
  for (const [index, { page }] of windows.entries()) {
    const path = join(folder, `window-${index + 1}.png`)
    await page.screenshot({ path, timeout: 5000 }).catch(() => {})
  }
  if (windows.length > 0) console.warn(`What the page looked like when the test failed: ${folder}`)
}
