import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { buildPage } from './page-build.ts'

const SOON_MS = 2000 // 2 s: what is done before needs no word

export interface PageOptions {
  /** Of its sources; the build is in its `dist`. */
  readonly folder: string
  /** Of the coordinator, which shows the page. */
  readonly url: string
  readonly stop: AbortSignal
  readonly say: (line: string) => void
}

/** Says where the page is that the coordinator has of its own, where it has one; it never fails. */
export async function tellPage({ url, stop, say }: Omit<PageOptions, 'folder'>): Promise<void> {
  const headers = { accept: 'text/html' }
  const answer = await fetch(url, { headers, signal: stop }).catch(() => null)
  await answer?.body?.cancel()
  if (answer?.headers.get('content-type')?.startsWith('text/html')) say(`dashboard ${url}`)
}

/** Builds the page where it must be, and says where it is; it never fails: a release needs no page. */
export async function showPage({ folder, url, stop, say }: PageOptions): Promise<void> {
  const slow = setTimeout(() => say('building the dashboard; releases do not wait for it'), SOON_MS)
  try {
    await buildPage(folder, stop)
    say(`dashboard ${url}`)
  } catch (error) {
    if (stop.aborted) return
    const why = error instanceof Error ? error.message : String(error)
    const instead = existsSync(join(folder, 'dist', 'index.html'))
      ? `${url} shows the one that was built before`
      : 'the release system runs without it'
    say(`warning: the dashboard could not be built: ${why}; ${instead}`)
  } finally {
    clearTimeout(slow)
  }
}
