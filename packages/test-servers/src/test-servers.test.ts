import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { absent, startPostgres, startRedis } from './index.ts'
import { ask } from './server-process.ts'

describe.skipIf(absent('redis'))('a Redis for tests', () => {
  test('answers, forgets, dies and comes back on the same port', async () => {
    const redis = await startRedis()
    try {
      expect(await ask(redis.port, 'SET a 1\r\n')).toBe('+OK\r\n')
      await redis.flush()
      expect(await ask(redis.port, 'GET a\r\n')).toBe('$-1\r\n')
      const { pid } = redis
      await redis.kill()
      await expect(ask(redis.port, 'PING\r\n')).rejects.toThrow()
      await redis.start()
      expect(await ask(redis.port, 'PING\r\n')).toBe('+PONG\r\n')
      expect(redis.pid).not.toBe(pid)
    } finally {
      await redis.stop()
    }
  })
})

const SERVERS = new URL('./index.ts', import.meta.url).href
const isRunning = (pid: string) => existsSync(`/proc/${pid}`)

/** What a process prints that starts a server, and ends without stopping it. */
async function leaving(kind: 'startRedis' | 'startPostgres'): Promise<string> {
  const script = `const { ${kind} } = await import('${SERVERS}')
    const server = await ${kind}()
    console.log(server.pid)
    process.exit(0)`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
  return stdout.trim()
}

async function gone(pid: string): Promise<void> {
  while (isRunning(pid)) await new Promise((resolve) => setTimeout(resolve, 20))
}

describe('a server whose process ends without stopping it ends too', () => {
  test.skipIf(absent('redis'))('Redis', async () => {
    await gone(await leaving('startRedis'))
  })
  test.skipIf(absent('postgresql'))('PostgreSQL', async () => {
    await gone(await leaving('startPostgres'))
  })
})

describe.skipIf(absent('postgresql'))('a PostgreSQL for tests', () => {
  test('has empty databases, and keeps them over a crash', async () => {
    const server = await startPostgres()
    try {
      const [first, second] = [await server.createDatabase(), await server.createDatabase()]
      expect(first).not.toBe(second)
      await server.end('crash')
      await server.start()
      await expect(server.createDatabase()).resolves.toContain('test_3')
    } finally {
      await server.stop()
    }
  })
})
