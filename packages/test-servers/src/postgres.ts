import { join } from 'node:path'
import { Client } from 'pg'
import { freePort, removeFolder, runProgram, ServerProcess, serverFolder } from './server-process.ts'

/** A PostgreSQL cluster of one test file. */
export interface PostgresServer {
  readonly port: number
  readonly pid: number
  /** Makes an empty database. @returns its address */
  createDatabase(): Promise<string>
  /** Ends it: `fast` as an administrator does, `crash` without a chance to tidy up. */
  end(how: 'fast' | 'crash'): Promise<void>
  /** Starts it again, on the same port and with the same data. */
  start(): Promise<void>
  /** Ends it for good. */
  stop(): Promise<void>
}

/** Starts Debian's PostgreSQL with a cluster of its own on a free port of the loopback address. */
export async function startPostgres(): Promise<PostgresServer> {
  const folder = serverFolder('postgresql')
  const data = join(folder, 'data')
  await runProgram({
    name: 'initdb',
    args: ['-D', data, '-U', 'release', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
    folder,
  })
  const port = await freePort()
  const url = (database: string) => `postgres://release@127.0.0.1:${port}/${database}`
  // Nothing here cuts the power, and fsync would only wear the disk of whoever runs the tests.
  const settings = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'fsync=off',
    'max_connections=300',
  ]
  const args = ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])]
  const server = new ServerProcess({ name: 'postgres', args, folder }, () =>
    query(url('postgres'), 'SELECT 1'),
  )
  await server.start()
  let databases = 0
  return {
    port,
    get pid() {
      return server.pid
    },
    createDatabase: async () => {
      const name = `test_${++databases}`
      await query(url('postgres'), `CREATE DATABASE ${name}`)
      return url(name)
    },
    end: (how) => server.end(how === 'fast' ? 'SIGINT' : 'SIGQUIT'),
    start: () => server.start(),
    stop: async () => {
      await server.end('SIGQUIT')
      removeFolder(folder)
    },
  }
}

async function query(url: string, text: string): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000 })
  // Its end is also told by the query that it interrupts.
  client.on('error', () => undefined)
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}
