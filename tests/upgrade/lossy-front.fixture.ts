import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'

/**
 * What becomes of a request: `request` lost on its way, `answer` lost on its way back, or `hang`: nobody ever answers.
 */
export type Loss = 'request' | 'answer' | 'hang'

/** Stands before a task service and loses what it is told to lose: how actions come to be half delivered. */
export class LossyFront {
  readonly #losses = new Map<string, Loss>()
  readonly #server: Server
  readonly #target: () => string
  #hanging = false

  /** @param target address of the service; asked at every request */
  constructor(target: () => string) {
    this.#target = target
    this.#server = createServer((request, response) => {
      void this.#pass(request, response).catch(() => response.destroy())
    })
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    const address = this.#server.address()
    return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  }

  lose(action: string, loss: Loss): void {
    this.#losses.set(action, loss)
  }

  deliver(action: string): void {
    this.#losses.delete(action)
  }

  /** From now on no request is answered at all. */
  hang(): void {
    this.#hanging = true
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await textOf(request)
    const loss = this.#hanging ? 'hang' : this.#losses.get(body === '' ? '' : JSON.parse(body).action)
    if (loss === 'hang') return
    if (loss === 'request') return void response.destroy()
    const { method = 'GET' } = request
    const init = body === '' ? { method } : { method, body, headers: { 'content-type': 'application/json' } }
    const answer = await fetch(`${this.#target()}${request.url}`, init)
    const text = await answer.text()
    if (loss === 'answer') return void response.destroy()
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' }).end(text)
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
