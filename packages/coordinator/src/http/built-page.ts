import { readdir, readFile, stat } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Logger } from '@release-task/http'

/** A file of the build, as it is sent. */
export interface Asset {
  readonly type: string
  readonly bytes: Buffer
  /** Null where it would be no smaller. */
  readonly gzip: Buffer | null
}

interface Build {
  readonly html: string
  /** By the paths that they are asked for with: what is not listed here is not sent. */
  readonly assets: ReadonlyMap<string, Asset>
}

const TYPES: { readonly [extension: string]: string } = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
}
/** What is compressed already becomes no smaller. */
const COMPRESSED = new Set(['.png', '.woff2'])
const TRIES = 3

const compress = promisify(gzip)

/**
 * The built page in memory. The folder may come later, and may be replaced as a whole by a rename: its `index.html` is
 * looked at when a page is asked for, and what is there then is read anew if it is another one.
 */
export class BuiltPage {
  readonly #folder: string
  readonly #log: Logger
  #known: { readonly mark: string; readonly build: Promise<Build | null> } | null = null
  /** A page that somebody has open goes on loading the files of its own build. */
  #before: Promise<Build | null> | null = null

  constructor(folder: string, log: Logger) {
    this.#folder = folder
    this.#log = log
  }

  /** `index.html`, with `__NONCE__` where the nonce of an answer stands; null where nothing is built. */
  async html(): Promise<string | null> {
    return (await this.#now())?.html ?? null
  }

  /** A file of the build, or of the one before it, by the path that it is asked for with. */
  async asset(path: string): Promise<Asset | null> {
    const now = await this.#now()
    return now?.assets.get(path) ?? (await this.#before)?.assets.get(path) ?? null
  }

  async #now(): Promise<Build | null> {
    const mark = await this.#mark()
    // In the moment of a rename there is none: what is known is still good.
    if (mark === null || mark === this.#known?.mark) return this.#known?.build ?? null
    const build = this.#read(mark).catch((error: unknown) => this.#failed(mark, error))
    this.#before = this.#known?.build ?? null
    this.#known = { mark, build }
    return build
  }

  /** Tells one `index.html` from the next. */
  async #mark(): Promise<string | null> {
    const found = await stat(join(this.#folder, 'index.html')).catch(() => null)
    return found?.isFile() ? `${found.ino} ${found.mtimeMs} ${found.size}` : null
  }

  async #read(mark: string): Promise<Build> {
    for (let tries = 1; ; tries++) {
      try {
        const build = await readBuild(this.#folder)
        // Half of one build and half of the next would be no page.
        if ((await this.#mark()) === mark || tries === TRIES) return build
      } catch (error) {
        if (tries === TRIES) throw error
      }
    }
  }

  #failed(mark: string, error: unknown): null {
    this.#log.warn({ err: error, folder: this.#folder }, 'the page cannot be read')
    // Asked for again, it is tried again.
    if (this.#known?.mark === mark) this.#known = null
    return null
  }
}

async function readBuild(folder: string): Promise<Build> {
  const html = await readFile(join(folder, 'index.html'), 'utf8')
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const names = entries
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep))
    .filter((parts) => parts.join('/') !== 'index.html' && !parts.some((part) => part.startsWith('.')))
  const assets = names.map(async (parts) => {
    const file = join(folder, ...parts)
    // What it leads to counts: a mounted folder may be made of links.
    const found = await stat(file).catch(() => null)
    if (!found?.isFile()) return []
    return [[`/${parts.map(encodeURIComponent).join('/')}`, await readAsset(file)] as const]
  })
  return { html, assets: new Map((await Promise.all(assets)).flat()) }
}

async function readAsset(file: string): Promise<Asset> {
  const bytes = await readFile(file)
  const extension = extname(file)
  const smaller = COMPRESSED.has(extension) ? bytes : await compress(bytes)
  const type = TYPES[extension] ?? 'application/octet-stream'
  return { type, bytes, gzip: smaller.length < bytes.length ? smaller : null }
}
