import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A reverse proxy as many are set up: the coordinator is below a path, and is not told which one. */
export class StrippingProxy {
  /** What was asked for outside of the path; a browser that is sent there is lost. */
  readonly strays: string[] = []
  readonly #path: string
  readonly #server = createServer((asked, reply) => this.#forward(asked, reply))
  #target: string | null = null

  private constructor(path: string) {
    this.#path = path
  }

  /** @param path such as `/coordinator` */
  static async start(path: string): Promise<StrippingProxy> {
    const proxy = new StrippingProxy(path)
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  /** The public address, with its path. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${this.#path}`
  }

  /** Where everything goes from now on. */
  lead(target: string): void {
    this.#target = target
  }

  #forward(asked: IncomingMessage, reply: ServerResponse): void {
    const url = asked.url ?? ''
    if (
      this.#target === null ||
      !/^[/?]|^$/.test(url.slice(this.#path.length)) ||
      !url.startsWith(this.#path)
    ) {
      this.strays.push(`${asked.method} ${url}`)
      reply.writeHead(404).end()
      return
    }
    const to = new URL(this.#target)
    const path = url.slice(this.#path.length) || '/'
    const { method, headers } = asked
    const onward = request({ hostname: to.hostname, port: to.port, method, headers, path }, (answer) => {
      reply.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(reply)
    })
    onward.on('error', () => reply.destroy())
    reply.on('close', () => onward.destroy())
    asked.pipe(onward)
  }

  end(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}
