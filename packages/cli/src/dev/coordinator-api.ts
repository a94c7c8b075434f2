import { request } from '@release-task/http'
import { CliError } from '../errors.ts'

const TIMEOUT_MS = 10 * 1000 // 10 s

export interface TaskShown {
  readonly kf_id: string
  readonly state: string
  readonly progress: number
  readonly service_name: string
  readonly message: string | null
  readonly summary: Readonly<Record<string, unknown>> | null
  /** How often its service has begun the present phase; null: it does not say. */
  readonly attempt: number | null
  readonly last_error: string | null
  readonly waiting_for: { readonly what: string; readonly last_error: string | null } | null
}

export interface ReleaseShown {
  readonly kf_id: string
  readonly name: string
  readonly state: string
  readonly version: string
  readonly reason: string | null
  readonly studies: readonly string[]
  readonly tasks: readonly TaskShown[]
  readonly waiting_for: { readonly what: string; readonly last_error: string | null } | null
}

export interface ServiceShown {
  readonly kf_id: string
  readonly name: string
  readonly url: string
}

/** What `dev` asks of its coordinator, over the same API as everybody else. */
export class CoordinatorApi {
  readonly #url: string
  readonly #token: () => Promise<string | null>

  /** @param token of an admin; null where nothing checks who calls */
  constructor(url: string, token: () => Promise<string | null>) {
    this.#url = url
    this.#token = token
  }

  async #call<T>(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: object): Promise<T> {
    // Reading is open to everybody.
    const token = method === 'GET' ? null : await this.#token()
    const answer = await request(`${this.#url}${path}`, {
      method,
      timeoutMs: TIMEOUT_MS,
      ...(token === null ? {} : { headers: { authorization: `Bearer ${token}` } }),
      ...(body ? { body } : {}),
    })
    if (answer.status < 300) return answer.json as T
    const message = `The coordinator answered ${answer.status} to ${method} ${path}: ${answer.text.slice(0, 300)}`
    throw new CliError('COORDINATOR_REFUSED', message, `curl ${this.#url}${path}`)
  }

  async releases(): Promise<{ count: number; newest: ReleaseShown | null }> {
    const page = await this.#call<{ count: number; results: ReleaseShown[] }>('GET', '/releases?limit=1')
    return { count: page.count, newest: page.results[0] ?? null }
  }

  release(id: string): Promise<ReleaseShown> {
    return this.#call('GET', `/releases/${id}`)
  }

  /** A service is registered once: by its address, or by its name where it has moved. */
  async register(name: string, url: string): Promise<'registered' | 'known' | 'moved'> {
    const { results } = await this.#call<{ results: ServiceShown[] }>('GET', '/task-services?limit=1000')
    if (results.some((service) => service.url === url)) return 'known'
    const moved = results.find((service) => service.name === name)
    if (moved) await this.#call('PATCH', `/task-services/${moved.kf_id}`, { url })
    else
      await this.#call('POST', '/task-services', {
        name,
        description: `${name}, started by dev`,
        author: 'dev',
        url,
      })
    return moved ? 'moved' : 'registered'
  }

  /** A release over all studies that there are. */
  async issue(name: string): Promise<ReleaseShown> {
    const { results } = await this.#call<{ results: { kf_id: string; deleted: boolean }[] }>(
      'GET',
      '/studies?limit=1000',
    )
    const studies = results.filter((study) => !study.deleted).map((study) => study.kf_id)
    return this.#call('POST', '/releases', { name, author: 'dev', studies })
  }

  cancel(id: string): Promise<unknown> {
    return this.#call('DELETE', `/releases/${id}`)
  }

  publish(id: string): Promise<unknown> {
    return this.#call('POST', `/releases/${id}/publish`)
  }
}

export const isOver = (release: ReleaseShown): boolean =>
  ['published', 'canceled', 'failed'].includes(release.state)
