import type { TaskDefinition } from '../define.ts'
import { Life, type World } from './life.ts'

/** The processes of the service, one after the other on one database. */
export class Processes {
  readonly #world: World
  readonly #name: string
  #task: TaskDefinition
  #started = 0
  /** How many ended otherwise than by a kill. */
  #otherEnds = 0
  /** The one that is told, or was told last, what to do. */
  current: Life | null = null
  /** One that lost its task to another, and does not know. */
  suspended: Life | null = null

  constructor(task: TaskDefinition, world: World) {
    this.#task = task
    this.#name = task.name
    this.#world = world
  }

  get isAlive(): boolean {
    return this.current !== null && !this.current.isDead
  }

  get kills(): number {
    return this.#started - this.#otherEnds - (this.isAlive ? 1 : 0)
  }

  /** Starts one where none runs. @throws TaskServiceError, Error where the database is another service's */
  async begin(task: TaskDefinition = this.#task): Promise<void> {
    if (task.name !== this.#name)
      throw new Error(`The database belongs to "${this.#name}", not to "${task.name}"`)
    this.#task = task
    this.current = await Life.start(task, this.#world, this.#started + 1)
    this.#started++
  }

  async kill(): Promise<void> {
    await this.current?.end()
  }

  /** @param change resolves when something has changed */
  async shutDown(change: () => Promise<void>): Promise<void> {
    const life = this.current
    if (!life || life.isDead) return
    life.shutDown()
    this.#world.moments.release()
    while (life.isBusy) await change()
    if (!life.isDead) this.#otherEnds++
    await life.end()
  }

  /** Starts another beside the one whose code is held. */
  async takeOver(): Promise<void> {
    const { moments } = this.#world
    if (!this.current || !moments.isHeld)
      throw new Error('Nothing is held that could lose its task: call until() first')
    await this.suspended?.end()
    this.suspended = this.current
    this.suspended.pause()
    moments.release()
    this.#otherEnds++
    await this.begin()
  }

  /** Lets the code go on that is held or suspended. */
  release(): void {
    this.#world.moments.release()
    this.suspended?.resume()
  }

  async end(): Promise<void> {
    await this.suspended?.end()
    await this.kill()
  }
}
