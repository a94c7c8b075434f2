import { PermanentError, type DiscardContext, type TaskContext, type TaskDefinition } from './define.ts'
import { latch, stopped, type Latch } from './service.fixture.ts'

/** How a held phase ends. */
type End = 'done' | 'failed'

interface Held {
  /** How often each phase was called. */
  readonly calls: { stage: number; publish: number; discard: number }
  readonly began: { readonly stage: Latch; readonly publish: Latch }
  readonly end: { readonly stage: Latch<End>; readonly publish: Latch<End> }
  readonly discarded: Latch<string>
}

/** A task whose phases run until the test lets them end, or until they are told to stop; counted for each task. */
export class HeldTask {
  readonly #tasks = new Map<string, Held>()

  of(id: string): Held {
    const known = this.#tasks.get(id)
    if (known) return known
    const held: Held = {
      calls: { stage: 0, publish: 0, discard: 0 },
      began: { stage: latch(), publish: latch() },
      end: { stage: latch<End>(), publish: latch<End>() },
      discarded: latch<string>(),
    }
    this.#tasks.set(id, held)
    return held
  }

  definition(): TaskDefinition {
    return {
      name: 'fixture',
      version: '1.0.0',
      stage: (task) => this.#run(task, 'stage'),
      publish: (task) => this.#run(task, 'publish'),
      discard: (task: DiscardContext) => {
        const held = this.of(task.id)
        held.calls.discard++
        held.discarded.open(task.from)
      },
    }
  }

  async #run({ id, signal }: TaskContext, phase: 'stage' | 'publish'): Promise<void> {
    const held = this.of(id)
    held.calls[phase]++
    held.began[phase].open()
    const end = await Promise.race([held.end[phase].reached, stopped(signal)])
    if (end === 'failed') throw new PermanentError(`${phase} of ${id} was told to fail`)
    signal.throwIfAborted()
  }
}
