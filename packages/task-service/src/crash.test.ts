import { fork, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FakeCoordinator } from './coordinator.fixture.ts'
import { eventually, RELEASE, TASK } from './service.fixture.ts'

const CHILD = fileURLToPath(new URL('crash.child.fixture.ts', import.meta.url))

interface Message {
  readonly type: string
  readonly url?: string
  readonly name?: string
}

/** A service in its own process. */
class Child {
  readonly process: ChildProcess
  url = ''
  readonly #seen: Message[] = []
  readonly #watchers: (() => void)[] = []

  constructor(args: string[], env: Record<string, string>) {
    this.process = fork(CHILD, args, { env, execArgv: ['--conditions=development'], stdio: 'inherit' })
    this.process.on('message', (message: Message) => {
      this.#seen.push(message)
      for (const watcher of this.#watchers) watcher()
    })
  }

  async said(type: string, name?: string): Promise<Message> {
    const find = () => this.#seen.find((message) => message.type === type && (!name || message.name === name))
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = find()
        if (found) resolve(found)
      }
      this.#watchers.push(look)
      this.process.once('exit', () => reject(new Error(`the service ended before it said ${type}`)))
      look()
    })
  }

  async ready(): Promise<this> {
    this.url = (await this.said('listening')).url ?? ''
    return this
  }

  async end(signal: 'SIGKILL'): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return
    const exited = new Promise((resolve) => this.process.once('exit', resolve))
    this.process.kill(signal)
    await exited
  }

  async act(action: string): Promise<void> {
    const response = await fetch(`${this.url}/tasks`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ action, task_id: TASK, release_id: RELEASE, studies: ['SD_00000001'] }),
    })
    expect(response.status, action).toBe(200)
  }

  async get(path: string): Promise<any> {
    return (await fetch(`${this.url}${path}`)).json()
  }

  async eventTypes(): Promise<string[]> {
    return (await this.get(`/tasks/${TASK}/events`)).results.map((event: any) => event.type)
  }
}

let folder: string
let coordinator: FakeCoordinator
const children: Child[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'task-crash-'))
  coordinator = await new FakeCoordinator().start()
})
afterEach(async () => {
  for (const child of children.splice(0)) await child.end('SIGKILL')
  await coordinator.close()
  rmSync(folder, { recursive: true })
})

const hangIn = (phase: string) => writeFileSync(join(folder, `hang-${phase}`), '')
const noMoreHanging = (phase: string) => rmSync(join(folder, `hang-${phase}`))
const effects = () => readFileSync(join(folder, 'effects'), 'utf8').trim().split('\n')

async function startChild(): Promise<Child> {
  const child = new Child([join(folder, 'effects'), join(folder, 'hang')], {
    DATABASE_URL: `sqlite:${join(folder, 'state.db')}`,
    COORDINATOR_API: coordinator.url,
    PORT: '0',
    LOG_LEVEL: 'silent',
    // Much longer than the test: what is taken up is taken up because its holder is known to be gone (WK-3).
    LEASE: '10m',
  })
  children.push(child)
  return child.ready()
}

const states = () => coordinator.states()

describe('kill -9 of the process, and another on the same state', () => {
  test('in stage: taken up at once as the next attempt, the crash counted, the work done once', async () => {
    hangIn('stage')
    const first = await startChild()
    await first.act('initialize')
    await first.act('start')
    await first.said('hangs', 'stage')
    await first.end('SIGKILL')
    expect(states()).toEqual([])
    noMoreHanging('stage')
    const second = await startChild()
    await coordinator.until(() => states().includes('staged'))
    expect(effects()).toEqual(['stage began 1', 'stage step 1', 'stage began 2', 'stage ended 2'])
    expect(await second.eventTypes()).toEqual([
      'initialized',
      'running',
      'stage_started',
      'step_finished',
      'worker_lost',
      'stage_started',
      'staged',
    ])
    const lost = (await second.get(`/tasks/${TASK}/events`)).results.find(
      (one: any) => one.type === 'worker_lost',
    )
    expect(lost).toMatchObject({ level: 'warning', data: { crashes: 1 } })
    expect(await second.get(`/tasks/${TASK}`)).toMatchObject({ state: 'staged', attempt: 2, failures: 0 })
  })

  test('in publish, and once more in publish: each is a crash, and it is published once', async () => {
    const first = await startChild()
    await first.act('initialize')
    await first.act('start')
    await coordinator.until(() => states().includes('staged'))
    hangIn('publish')
    await first.act('publish')
    await first.said('hangs', 'publish')
    await first.end('SIGKILL')
    const second = await startChild()
    await second.said('hangs', 'publish')
    expect(await second.get(`/tasks/${TASK}`)).toMatchObject({ state: 'publishing', attempt: 3, crashes: 1 })
    await second.end('SIGKILL')
    noMoreHanging('publish')
    const third = await startChild()
    await coordinator.until(() => states().includes('published'))
    expect(effects().filter((line) => line.startsWith('publish'))).toEqual([
      'publish began 2',
      'publish step 2',
      'publish began 3',
      'publish began 4',
      'publish ended 4',
    ])
    expect(states()).toEqual(['staged', 'published'])
    expect(await third.get(`/tasks/${TASK}`)).toMatchObject({ state: 'published', attempt: 4, crashes: 0 })
  })

  test('canceled while it works, and killed: the next process does not work on, it discards', async () => {
    hangIn('stage')
    const first = await startChild()
    await first.act('initialize')
    await first.act('start')
    await first.said('hangs', 'stage')
    await first.act('cancel')
    await first.end('SIGKILL')
    const second = await startChild()
    await eventually(async () => (await second.get(`/tasks/${TASK}`)).cleanup === 'done')
    expect(effects()).toEqual([
      'stage began 1',
      'stage step 1',
      'discard began 2',
      'discard step 2',
      'discard ended 2',
    ])
    expect(await second.get(`/tasks/${TASK}`)).toMatchObject({ state: 'canceled', crashes: 0 })
    expect(states()).toEqual([])
  })

  test('a start whose 200 was received is not lost with the process (SV-16)', async () => {
    hangIn('stage')
    const first = await startChild()
    await first.act('initialize')
    await first.act('start')
    await first.end('SIGKILL')
    noMoreHanging('stage')
    await startChild()
    await coordinator.until(() => states().includes('staged'))
  })
})
