import { DatabaseSync } from 'node:sqlite'
import { test as base } from 'vitest'
import type { TaskDefinition } from './define.ts'
import { Outbox } from './outbox.ts'
import { startFixture, TASK, type Fixture, type Making } from './service.fixture.ts'

/** A service of its own for one test, so that tests may run beside each other; it ends with the test. */
export class World {
  #fixture: Fixture | null = null

  get fixture(): Fixture {
    if (!this.#fixture) throw new Error('the test has not begun a service')
    return this.#fixture
  }

  /** A service beside a coordinator that knows the task. */
  async open(making: Making = {}): Promise<Fixture> {
    this.#fixture = await startFixture(making)
    this.fixture.coordinator.shown.set(TASK, 'running')
    return this.fixture
  }

  begin(task: Partial<TaskDefinition> = {}, env: Record<string, string> = {}): Promise<Fixture> {
    return this.open({ task, env })
  }

  /** The same, and the task has been initialized and started. */
  async started(making: Making = {}, request: { studies?: string[] } = { studies: [] }): Promise<Fixture> {
    await this.open(making)
    await this.fixture.act('initialize', request)
    await this.fixture.act('start', request)
    return this.fixture
  }

  async restart(task?: Partial<TaskDefinition>, env?: Record<string, string>): Promise<Fixture> {
    this.#fixture = await this.fixture.restart(task, env)
    return this.fixture
  }

  async close(): Promise<void> {
    await this.#fixture?.close()
  }

  /** Whether the task is in a state: to look at again and again. */
  readonly stateIs = (state: string) => async () => (await this.fixture.task()).state === state

  outboxRow() {
    return new Outbox(this.fixture.database, { owner: 'test', claimMs: 0 }).get(TASK)
  }

  /** Writes to the task's row as another process would. */
  rawUpdate(assignments: string): void {
    const connection = new DatabaseSync(this.fixture.url.slice('sqlite:'.length))
    connection.exec(`UPDATE tasks SET ${assignments}, revision = revision + 1`)
    connection.close()
  }
}

export const test = base.extend<{ world: World }>({
  // oxlint-disable-next-line no-empty-pattern -- vitest reads what a fixture needs from its first parameter
  world: async ({}, use) => {
    const world = new World()
    await use(world)
    await world.close()
  },
})
