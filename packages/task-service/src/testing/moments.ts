import type { Work } from '../record.ts'

/** A moment inside a phase of your code, or right before or after it. */
export type WorkMoment =
  /** The phase was claimed; no line of it has run. */
  | `${Work} begins`
  | `before step ${string}`
  /** What the step does is done, and its result is not kept yet. */
  | `after step ${string}`
  | `step ${string} kept`
  /** Your code told progress for the nth time in this attempt; that is stored and reported. */
  | `progress ${number}`
  /** Your code has returned, and nobody has noted it yet. */
  | `${Work} ends`

/** A moment at which a process can die: between any two things that it does durably. */
export type Moment =
  | WorkMoment
  /** An action is stored and not answered yet. */
  | `${'initialize' | 'start' | 'publish' | 'cancel'} accepted`
  /** The outcome of a phase is stored and not reported yet. */
  | 'staged'
  | 'published'
  | 'discarded'
  /**
   * The coordinator has the report, and the service has not noted yet that it has. `attempt`: that one has failed, or
   * that a further one has begun.
   */
  | `${'staged' | 'published' | 'failed' | 'progress' | 'attempt'} reported`

/** Thrown into the code of a process that was killed, where it is not in the middle of waiting for something. */
export class Killed extends Error {
  override readonly name = 'Killed'

  constructor() {
    super('this process was killed by the test')
  }
}

/** What the code of a dead process waits for. */
export const never = (): Promise<never> => new Promise(() => undefined)

/** Every moment that is passed, and what is to happen at which. */
export class Moments {
  readonly passed: Moment[] = []
  #killAt: Moment | number | null = null
  #holdAt: WorkMoment | null = null
  #hold: PromiseWithResolvers<void> | null = null

  /** The moment, or the how manieth, at which the process is killed; null: none. */
  get killAt(): Moment | number | null {
    return this.#killAt
  }

  set killAt(moment: Moment | number | null) {
    this.#killAt = moment
  }

  get isHeld(): boolean {
    return this.#hold !== null
  }

  /** Resolves once nothing holds the code. */
  async free(): Promise<void> {
    await this.#hold?.promise
  }

  holdAt(moment: WorkMoment): void {
    this.#holdAt = moment
  }

  /** Lets go what is held, and holds at nothing. */
  release(): void {
    this.#holdAt = null
    this.#hold?.resolve()
    this.#hold = null
  }

  /** Notes a moment. @returns whether the process is to die at it */
  pass(moment: Moment): boolean {
    this.passed.push(moment)
    if (this.#holdAt === moment) {
      this.#holdAt = null
      this.#hold = Promise.withResolvers()
    }
    if (this.#killAt !== moment && this.#killAt !== this.passed.length) return false
    this.#killAt = null
    return true
  }
}
