import type { RequestOptions } from '@release-task/http/client'
import { fieldOf, inWords, tell, tellText, type Told } from '../told.ts'

const ANSWER_WITHIN_MS = 15_000
const CSRF = 'conformance'.repeat(6).slice(0, 64)
const PAGE = 100
/** Enough for any history, and an end for a coordinator whose pages have none. */
const MOST_PAGES = 1000

/** The coordinator under check, as its clients and services call it. */
export class CoordinatorApi {
  /** Without a slash at its end. */
  readonly url: string
  readonly #headers: Record<string, string>

  constructor(url: string, token: string | null) {
    this.url = url.replace(/\/+$/, '')
    // The original asks for the pair, and behind https for the referer, from everybody with a token (N-10).
    this.#headers = { cookie: `csrftoken=${CSRF}`, 'x-csrftoken': CSRF, referer: `${this.url}/` }
    if (token !== null) this.#headers['authorization'] = `Bearer ${token}`
  }

  get(path: string): Promise<Told> {
    return this.#tell(path, {})
  }

  post(path: string, body?: object): Promise<Told> {
    return this.#tell(path, { method: 'POST', body })
  }

  patch(path: string, body: object): Promise<Told> {
    return this.#tell(path, { method: 'PATCH', body })
  }

  delete(path: string): Promise<Told> {
    return this.#tell(path, { method: 'DELETE' })
  }

  /** A body that may be no JSON. */
  postText(path: string, text: string): Promise<Told> {
    return tellText(`${this.url}${path}`, text, { ...this.#headers, 'content-type': 'application/json' })
  }

  /**
   * Everything that a list holds, over all its pages.
   * @throws Error where an answer is no page
   */
  async all(path: string): Promise<readonly unknown[]> {
    const rows: unknown[] = []
    for (let page = 0; page < MOST_PAGES; page++) {
      const separator = path.includes('?') ? '&' : '?'
      const told = await this.get(`${path}${separator}limit=${PAGE}&offset=${rows.length}`)
      const results = fieldOf(told.json, 'results')
      if (told.code !== 200 || !Array.isArray(results))
        throw new Error(`GET ${path} is no page: ${inWords(told)}`)
      rows.push(...results)
      if (results.length === 0 || fieldOf(told.json, 'next') === null) return rows
    }
    throw new Error(`GET ${path} has no end`)
  }

  #tell(path: string, options: Omit<RequestOptions, 'timeoutMs' | 'headers'>): Promise<Told> {
    return tell(`${this.url}${path}`, { ...options, headers: this.#headers, timeoutMs: ANSWER_WITHIN_MS })
  }
}

/** What a page of a list holds; nothing where it is no page. */
export function rowsOf({ json }: Told): readonly unknown[] {
  const results = fieldOf(json, 'results')
  return Array.isArray(results) ? results : []
}
