import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineTask, readConfig, serve, type Served, type TaskDefinition } from '@release-task/task-service'
import { onTestFinished } from 'vitest'
import { FakeCoordinator } from '../../packages/task-service/src/coordinator.fixture.ts'

export { eventually, latch, stopped } from '../../packages/task-service/src/service.fixture.ts'

export const TASK = 'TA_00000001'
export const RELEASE = 'RE_00000001'

export interface Answered {
  readonly code: number
  readonly body: any
}

interface Making {
  readonly task?: Partial<TaskDefinition>
  readonly env?: Record<string, string>
}

const FAST = {
  PORT: '0',
  LOG_LEVEL: 'silent',
  PROGRESS_INTERVAL: '10ms',
  SWEEP_INTERVAL: '100ms',
  DATABASE_SYNC: 'normal',
}

/** A task service as `serve` makes it, on a port, for one test. */
export class WiredService {
  readonly folder = mkdtempSync(join(tmpdir(), 'flaws-'))
  readonly #making: Making
  #served: Served | null = null

  constructor(making: Making) {
    this.#making = making
  }

  get url(): string {
    return this.#served?.url ?? ''
  }

  async live(task: Partial<TaskDefinition> = {}): Promise<void> {
    const definition = defineTask({
      name: 'example',
      version: '1.0.0',
      stage: () => undefined,
      publish: () => undefined,
      ...this.#making.task,
      ...task,
    })
    const DATABASE_URL = `sqlite:${join(this.folder, 'state.db')}`
    this.#served = await serve(definition, readConfig({ ...FAST, DATABASE_URL, ...this.#making.env }))
  }

  async restart(task: Partial<TaskDefinition> = {}): Promise<void> {
    await this.#served?.close()
    await this.live(task)
  }

  async close(): Promise<void> {
    await this.#served?.close()
    rmSync(this.folder, { recursive: true, force: true })
  }

  async call(
    method: string,
    path: string,
    payload?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answered> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { ...(payload === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(payload === undefined
        ? {}
        : { body: typeof payload === 'string' ? payload : JSON.stringify(payload) }),
    })
    return { code: response.status, body: await response.json() }
  }

  /** POST /tasks, with the studies that every coordinator of today sends. */
  act(action: string, fields: object = {}): Promise<Answered> {
    const body = { action, task_id: TASK, release_id: RELEASE, studies: ['SD_00000001'], ...fields }
    return this.call('POST', '/tasks', body)
  }

  async task(id = TASK): Promise<any> {
    return (await this.call('GET', `/tasks/${id}`)).body
  }

  async state(id = TASK): Promise<string> {
    return (await this.act('get_status', { task_id: id })).body.state
  }
}

/** A service that reports to nobody who would listen, or to where `COORDINATOR_API` says. */
export async function openService(making: Making = {}): Promise<WiredService> {
  const service = new WiredService(making)
  onTestFinished(() => service.close())
  await service.live()
  return service
}

/** A service beside a coordinator that keeps what it hears and knows the task. */
export async function openBeside(
  making: Making = {},
): Promise<{ service: WiredService; coordinator: FakeCoordinator }> {
  const coordinator = await new FakeCoordinator().start()
  onTestFinished(() => coordinator.close())
  coordinator.shown.set(TASK, 'running')
  const env = { COORDINATOR_API: coordinator.url, ...making.env }
  return { coordinator, service: await openService({ ...making, env }) }
}
