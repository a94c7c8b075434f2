import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { absent, freePort, startPostgres, startRedis } from '@release-task/test-servers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { APP, imageCommand, readCompose, type Service } from './compose.fixture.ts'
import { call, checkPublished, issue, releaseState, System, until } from './processes.fixture.ts'

let folder: string
let children: ChildProcess[]
let undo: (() => Promise<void>)[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'compose-'))
  children = []
  undo = []
})
afterEach(async () => {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
  }
  for (const step of undo) await step()
  rmSync(folder, { recursive: true, force: true })
})

/** What in a container is another container or a volume, and here a port or a folder. */
type Replacements = readonly (readonly [RegExp, string])[]

const replaced = (text: string, replacements: Replacements): string =>
  replacements.reduce((left, [from, to]) => left.replaceAll(from, to), text)

/** Starts a service as the file says: the same command with the same environment, as a plain process. */
function start(service: Service, replacements: Replacements, port?: number) {
  const [program = '', ...args] = (service.command ?? imageCommand()).map((word) =>
    replaced(word, replacements),
  )
  const entries = Object.entries(service.environment ?? {})
  const environment = Object.fromEntries(
    entries.map(([name, value]) => [name, replaced(value, replacements)]),
  )
  const words = [...args, ...Object.values(environment)]
  const left = words.find((word) =>
    /(^|:)\/(state|release)\b|\b(red|postgres|coordinator|task):\d+/.test(word),
  )
  if (left) throw new Error(`still of a container: ${left}`)
  // Servers under test are not for other machines.
  const here = { HOST: '127.0.0.1', ...(port === undefined ? {} : { PORT: String(port) }) }
  const child = spawn(program === 'node' ? process.execPath : program, args, {
    cwd: APP,
    env: { PATH: process.env['PATH'] ?? '', ...environment, ...here, LOG_LEVEL: 'info' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  return { child, output: () => output }
}

const ready = (port: number, output: () => string) =>
  until(
    () => call('GET', `http://127.0.0.1:${port}/readyz`),
    ({ code }) => code === 200,
    30_000,
    50,
  ).catch((error: unknown) => {
    throw new Error(output(), { cause: error })
  })

/** The image's own health check, run against a port. */
async function healthy(port: number): Promise<number | null> {
  const child = spawn(process.execPath, ['deploy/healthy.js'], { cwd: APP, env: { PORT: String(port) } })
  return new Promise((resolve) => child.once('exit', resolve))
}

describe('as text', () => {
  test.each(['compose.yaml', 'compose.full.yaml'])(
    '%s: ours are stopped in time, and open to this machine only',
    (name) => {
      const { services } = readCompose(name)
      for (const service of Object.values(services)) {
        for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/)
        const { environment } = service
        if (environment?.['HOST'] !== '0.0.0.0') continue
        expect(environment).toMatchObject({ AUTH: 'off', AUTH_OFF_PUBLIC: 'yes' })
        expect(service).toMatchObject({ stop_grace_period: '35s', init: true, image: 'release-task' })
      }
    },
  )

  test('compose.yaml: API, worker and Redis under the names of the original, on the coordinator’s network', () => {
    const { services, networks, volumes } = readCompose('compose.yaml')
    expect(Object.keys(services)).toEqual(['task', 'worker', 'red'])
    expect(networks).toEqual({ coordinator: { external: true, name: 'kf-data-stack' } })
    expect(Object.keys(volumes ?? {})).toEqual(['state', 'release'])
    expect(services['task']?.ports).toEqual(['127.0.0.1:8282:8282'])
    for (const name of ['task', 'worker'])
      expect(services[name]).toMatchObject({
        networks: ['default', 'coordinator'],
        volumes: ['state:/state', 'release:/release'],
        depends_on: { red: { condition: 'service_healthy' } },
      })
  })

  test('the image runs node itself as nobody special, and is asked whether it is ready', () => {
    const text = readFileSync(join(APP, 'Dockerfile'), 'utf8')
    expect(imageCommand()[0]).toBe('node')
    expect(text).toMatch(/^USER node$/m)
    expect(text).toMatch(/^HEALTHCHECK .*deploy\/healthy\.js/m)
    expect(text.match(/^FROM .*/gm)).toEqual(['FROM node:24-slim AS build', 'FROM node:24-slim'])
  })
})

describe.skipIf(absent('redis'))('compose.yaml as plain processes', () => {
  test('beside a coordinator: API and worker on one file, with Redis; SIGTERM ends them with 0', async () => {
    const redis = await startRedis()
    const system = new System()
    undo.push(
      () => system.end(),
      () => redis.stop(),
    )
    const coordinator = await system.coordinator()
    const { services } = readCompose('compose.yaml')
    const replacements: Replacements = [
      [/(?<=^|:)\/state\b/g, join(folder, 's')],
      [/^\/release\b/g, join(folder, 'r')],
      [/redis:\/\/red:6379/g, redis.url],
      [/http:\/\/coordinator:5000/g, coordinator.url],
    ]
    const ports = { task: await freePort(), worker: await freePort() }
    const task = start(services['task']!, replacements, ports.task)
    const worker = start(services['worker']!, replacements, ports.worker)
    await ready(ports.task, task.output)
    await ready(ports.worker, worker.output)
    expect([await healthy(ports.task), await healthy(ports.worker)]).toEqual([0, 0])
    const release = await issue(coordinator.url, `http://127.0.0.1:${ports.task}`)
    await until(
      () => releaseState(release),
      (state) => state === 'staged',
      60_000,
      50,
    )
    await call('POST', `${release}/publish`)
    await until(
      () => releaseState(release),
      (state) => state === 'published',
      60_000,
      50,
    )
    expect(checkPublished(join(folder, 'r'))).toMatchObject({ studies: 3, rows: 100_000 })
    for (const { child } of [worker, task]) {
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      expect(await gone).toBe(0)
    }
    expect(await healthy(ports.task)).toBe(1)
  })
})

describe.skipIf(absent('redis') || absent('postgresql'))('compose.full.yaml as plain processes', () => {
  test('the whole system: registered by itself, and a release is published', async () => {
    const [redis, postgres] = [await startRedis(), await startPostgres()]
    undo.push(
      () => redis.stop(),
      () => postgres.stop(),
    )
    const { services } = readCompose('compose.full.yaml')
    const ports = { coordinator: await freePort(), task: await freePort(), worker: await freePort() }
    const replacements: Replacements = [
      [/postgres:\/\/release:release@postgres:5432\/coordinator/g, await postgres.createDatabase()],
      [/postgres:\/\/release:release@postgres:5432\/task/g, await postgres.createDatabase()],
      [/redis:\/\/red:6379/g, redis.url],
      [/http:\/\/coordinator:5001/g, `http://127.0.0.1:${ports.coordinator}`],
      [/http:\/\/task:8282/g, `http://127.0.0.1:${ports.task}`],
      [/^\/release\b/g, join(folder, 'r')],
    ]
    const started = Object.entries(ports).map(([name, port]) => ({
      port,
      ...start(services[name]!, replacements, port),
    }))
    for (const { port, output } of started) await ready(port, output)
    for (const expected of ['201', 'registered already']) {
      const { child, output } = start(services['register']!, replacements)
      expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0)
      expect(output()).toContain(expected)
    }
    const release = await issue(`http://127.0.0.1:${ports.coordinator}`)
    await until(
      () => releaseState(release),
      (state) => state === 'staged',
      60_000,
      50,
    )
    await call('POST', `${release}/publish`)
    await until(
      () => releaseState(release),
      (state) => state === 'published',
      60_000,
      50,
    )
    expect(checkPublished(join(folder, 'r'))).toMatchObject({ studies: 3, rows: 100_000 })
  })
})
