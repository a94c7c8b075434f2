import { ask, freePort, removeFolder, ServerProcess, serverFolder } from './server-process.ts'

/** A Redis of one test file, which keeps nothing. */
export interface RedisServer {
  readonly url: string
  readonly port: number
  readonly pid: number
  /** Forgets everything, as `FLUSHALL` does. */
  flush(): Promise<void>
  /** Ends it as a crash does; `start` brings it back, empty, on the same port. */
  kill(): Promise<void>
  start(): Promise<void>
  /** Ends it for good. */
  stop(): Promise<void>
}

/** Starts Debian's `redis-server` on a free port of the loopback address. */
export async function startRedis(): Promise<RedisServer> {
  const folder = serverFolder('redis')
  const port = await freePort()
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const command = async (text: string, wanted: string) => {
    const answer = await ask(port, `${text}\r\n`)
    if (!answer.startsWith(wanted)) throw new Error(`Redis answered ${answer}`)
  }
  const server = new ServerProcess({ name: 'redis-server', args, folder }, () => command('PING', '+PONG'))
  await server.start()
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    get pid() {
      return server.pid
    },
    flush: () => command('FLUSHALL', '+OK'),
    kill: () => server.end('SIGKILL'),
    start: () => server.start(),
    stop: async () => {
      await server.end('SIGKILL')
      removeFolder(folder)
    },
  }
}
