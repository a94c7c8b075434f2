import { createApp, createLogger, listen, type App } from '@release-task/http'

export interface ReceivedReport {
  readonly taskId: string
  readonly body: {
    state?: string
    progress?: number
    message?: string
    summary?: unknown
    attempt?: number
    error?: string
  }
  readonly headers: Record<string, unknown>
}

export interface FakeAnswer {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

/** A coordinator made of a few routes: keeps what it is told and shows what a test wants it to show. */
export class FakeCoordinator {
  readonly reports: ReceivedReport[] = []
  readonly reads: string[] = []
  /** What it shows of a task; a report changes it. */
  readonly shown = new Map<string, string>()
  /** Answers instead of 200, one per report, in order. */
  readonly answers: FakeAnswer[] = []
  /** Answers every question for a task, where it is set. */
  readAnswer: FakeAnswer | null = null
  /** A test that sets it holds every report until it resolves. */
  hold: Promise<void> = Promise.resolve()
  url = ''
  #app: App | null = null
  #watchers: { test: () => boolean; resolve: () => void }[] = []

  async start(): Promise<this> {
    const app = await createApp({ title: 'fake', version: '0', logger: createLogger('fake', 'silent') })
    this.#addReports(app)
    this.#addReads(app)
    const port = this.url === '' ? 0 : Number(new URL(this.url).port)
    this.url = await listen(app, { host: '127.0.0.1', port, auth: null })
    this.#app = app
    return this
  }

  /** Nobody listens on its port any more; `start` brings it back to the same one. */
  async close(): Promise<void> {
    this.#app?.server.closeAllConnections()
    await this.#app?.close()
    this.#app = null
  }

  states(): string[] {
    return this.reports.flatMap(({ body }) => body.state ?? [])
  }

  /** Resolves once `test` holds, looked at after every request. */
  until(test: () => boolean): Promise<void> {
    if (test()) return Promise.resolve()
    return new Promise((resolve) => this.#watchers.push({ test, resolve }))
  }

  #addReports(app: App): void {
    app.patch<{ Params: { id: string } }>('/tasks/:id', async (request, reply) => {
      const body = request.body as ReceivedReport['body']
      this.reports.push({ taskId: request.params.id, body, headers: request.headers })
      const answer = this.answers.shift()
      if (!answer || answer.status < 300) this.shown.set(request.params.id, body.state ?? 'running')
      this.#changed()
      await this.hold
      return reply
        .status(answer?.status ?? 200)
        .headers(answer?.headers ?? {})
        .send(answer?.body ?? { kf_id: request.params.id })
    })
  }

  #addReads(app: App): void {
    app.get<{ Params: { id: string } }>('/tasks/:id', async (request, reply) => {
      this.reads.push(request.params.id)
      this.#changed()
      if (this.readAnswer) return reply.status(this.readAnswer.status).send(this.readAnswer.body ?? '')
      const state = this.shown.get(request.params.id)
      return state ? { kf_id: request.params.id, state } : reply.status(404).send({ detail: 'Not found.' })
    })
    app.get<{ Params: { id: string } }>('/releases/:id', async (request) => ({
      kf_id: request.params.id,
      studies: ['SD_FROMRELS'],
    }))
  }

  #changed(): void {
    for (const watcher of this.#watchers) if (watcher.test()) watcher.resolve()
  }
}
