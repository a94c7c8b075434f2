// Pictures of the page for the README, from the real system: a coordinator, two task services and a slow Data Service.
// node --conditions=development tests/dashboard/pictures.ts FOLDER
import { mkdirSync, statSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { REFERENCE_TASK, until } from '../processes.fixture.ts'
import { button, launchBrowser, Windows } from './browser.fixture.ts'
import { PageSystem } from './page-system.fixture.ts'

const REPORT_TASK = fileURLToPath(new URL('../../apps/report-task/src/task.ts', import.meta.url))
const WIDTH = 1280
const MOST_BYTES = 200 * 1000
const PAGE_MS = 60
/** Rows of each collection of each study. */
const ROWS: Readonly<Record<string, number>> = {
  participants: 1640,
  biospecimens: 3280,
  'genomic-files': 9430,
}

/** A Data Service that takes its time, and stops giving where a picture is to be taken. */
class SlowDataService {
  /** Pages that each reader may have; more of them wait. */
  readonly #allowed = new Map<string, number>()
  readonly #server = createServer((request, response) => void this.#answer(request, response))

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
  }

  /** The address for a reader, which gets so many pages until all are let go. */
  addressFor(reader: string, pages: number): string {
    this.#allowed.set(reader, pages)
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/${reader}`
  }

  stands(): boolean {
    return [...this.#allowed.values()].some((left) => left <= 0)
  }

  letGo(): void {
    for (const reader of this.#allowed.keys()) this.#allowed.set(reader, Number.POSITIVE_INFINITY)
  }

  end(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://source')
    const [, reader = '', collection = ''] = url.pathname.split('/')
    const limit = Number(url.searchParams.get('limit') ?? 100)
    // A question for the count alone is no page.
    if (limit > 1) {
      await sleep(PAGE_MS)
      while ((this.#allowed.get(reader) ?? 0) <= 0) await sleep(20)
      this.#allowed.set(reader, (this.#allowed.get(reader) ?? 0) - 1)
    }
    response.setHeader('content-type', 'application/json').end(JSON.stringify(page(url, collection, limit)))
  }
}

function page(url: URL, collection: string, limit: number): object {
  const total = ROWS[collection] ?? 1
  const study = url.searchParams.get('study_id') ?? ''
  const from = Number(url.searchParams.get('after') ?? 0)
  const count = Math.max(0, Math.min(limit, total - from))
  const results = Array.from({ length: count }, (_, index) => ({
    kf_id: `${study}-${collection}-${from + index}`,
  }))
  const next = `/${collection}?study_id=${study}&after=${from + limit}&after_uuid=7c9e6679-7425-40de-944b-e07fc1f90ae7`
  return {
    _status: { message: 'success', code: 200 },
    _links: { self: url.pathname + url.search, ...(count === limit ? { next } : {}) },
    total,
    limit,
    results,
  }
}

async function take(windowed: Page, folder: string, name: string): Promise<void> {
  const path = join(folder, `${name}.png`)
  await windowed.screenshot({ path })
  const { size } = statSync(path)
  console.log(`${path}: ${Math.round(size / 1000)} kB`)
  if (size > MOST_BYTES) throw new Error(`${path} has ${size} bytes, more than ${MOST_BYTES}`)
}

/** A release of two services, which stands in the middle of its work. @returns its id */
async function runningRelease(desk: PageSystem, source: SlowDataService): Promise<string> {
  const tasks = [
    ['reference-task', REFERENCE_TASK, Number.POSITIVE_INFINITY],
    ['report-task', REPORT_TASK, 24],
  ] as const
  for (const [name, file, pages] of tasks) {
    const side = await desk.startTask(name, file, { DATASERVICE_URL: source.addressFor(name, pages) })
    await desk.register(name, side)
  }
  const description =
    'Participants, biospecimens and files of all three studies, with the corrections of September.'
  const id = await desk.issue('Autumn release', { description, is_major: true, tags: ['autumn'] })
  await until(async () => source.stands(), Boolean)
  await until(
    () => desk.ask('GET', `/releases/${id}`),
    ({ tasks }) => tasks.some(({ state }: { state: string }) => state === 'staged'),
  )
  return id
}

async function main(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const browser = await launchBrowser()
  const source = new SlowDataService()
  await source.start()
  const desk = await PageSystem.start()
  try {
    const id = await runningRelease(desk, source)
    const windows = new Windows(browser)
    const at = await desk.at(`/releases/${id}`, 'admin')
    const { page: shown } = await windows.open({ ...at, width: WIDTH, height: 800 })
    await shown.locator('[data-connection="live"]').waitFor()
    await until(
      () => shown.locator('.progress .number').allTextContents(),
      (texts) => texts[0] === '100 %' && texts[1] !== undefined && Number.parseInt(texts[1], 10) > 20,
    )
    await shown.locator('.timeline-box rect').first().waitFor()
    await take(shown, folder, 'release-running')
    source.letGo()
    await button(shown, 'Publish…').and(shown.locator('[aria-disabled="false"]')).click()
    await shown.getByRole('dialog').getByText('You do this as').waitFor()
    await take(shown, folder, 'publish')
    await windows.close(false)
  } finally {
    await browser.close()
    source.letGo()
    await desk.end()
    source.end()
  }
}

const [folder] = process.argv.slice(2)
if (folder === undefined) throw new Error('Say into which folder: pictures.ts FOLDER')
await main(folder)
