import type { DiscardContext, Json, TaskContext, TaskDefinition, TaskLog } from '../define.ts'
import type { Execute } from '../execute.ts'
import type { Work } from '../record.ts'
import { Killed, never, type Moment } from './moments.ts'

/** A line that your code wrote with `task.log`. */
export interface LogLine {
  readonly level: 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields?: Record<string, unknown>
}

/** What the code of a task may do in the process that it runs in. */
export interface Host {
  /** Whether it was killed, or is to be as soon as what it said is stored. */
  isEnding(): boolean
  /** Passes a moment, once nothing holds the code. @returns never, where the process dies at it */
  pass(moment: Moment): Promise<void>
  /** Passes a moment of code that cannot wait. @returns whether the process dies at it, once `end` is called */
  passNow(moment: Moment): boolean
  /** Resolves once nothing holds the code; never in a dead process. */
  free(): Promise<void>
  end(): Promise<void>
  readonly execute: Execute
  /** Sends what is due to be sent. */
  deliver(): Promise<void>
  readonly logged: LogLine[]
}

/** The same task, with its moments passed one by one and every word of progress stored and reported in its turn. */
export function watchedTask(task: TaskDefinition, host: Host): TaskDefinition {
  const { discard } = task
  return {
    ...task,
    stage: (context) => watched('stage', context as DiscardContext, host, (own) => task.stage(own)),
    publish: (context) => watched('publish', context as DiscardContext, host, (own) => task.publish(own)),
    ...(discard && {
      discard: (context) => watched('discard', context, host, (own) => task.discard?.(own)),
    }),
  }
}

async function watched<T>(
  work: Work,
  context: DiscardContext,
  host: Host,
  run: (own: DiscardContext) => Promise<T> | T,
): Promise<T> {
  await host.pass(`${work} begins`)
  const words = new Words()
  try {
    return await run(watchedContext(context, host, words))
  } finally {
    await (host.isEnding() ? never() : words.said())
    await host.pass(`${work} ends`)
  }
}

/** What an attempt says, one word after the other. */
class Words {
  #last: Promise<void> = Promise.resolve()

  add(say: () => Promise<void>): void {
    // Progress is a courtesy: one that cannot be stored is followed by the next.
    this.#last = this.#last.then(say).catch(() => undefined)
  }

  said(): Promise<void> {
    return this.#last
  }
}

function watchedContext(context: DiscardContext, host: Host, words: Words): DiscardContext {
  const { coordinator } = context
  const turn = async () => {
    await words.said()
    await host.free()
  }
  return {
    ...context,
    log: watchedLog(context.log, host),
    coordinator: {
      access: () => turn().then(() => coordinator.access()),
      release: () => turn().then(() => coordinator.release()),
      study: (id) => turn().then(() => coordinator.study(id)),
    },
    progress: watchedProgress(context, host, words),
    step: (name, fn) => turn().then(() => watchedStep(context, host, name, fn)),
    steps: () => turn().then(() => context.steps()),
    releasesUnderWay: () => turn().then(() => context.releasesUnderWay()),
    assertCurrent: () => turn().then(() => context.assertCurrent()),
  }
}

async function watchedStep<T extends Json>(
  context: TaskContext,
  host: Host,
  name: string,
  fn: () => Promise<T> | T,
): Promise<T> {
  await host.pass(`before step ${name}`)
  let hasRun = false
  const result = await context.step(name, async () => {
    const made = await fn()
    hasRun = true
    await host.pass(`after step ${name}`)
    return made
  })
  if (hasRun) await host.pass(`step ${name} kept`)
  return result
}

/** Every word is stored and reported, not the newest of half a second: so it is the same whenever it runs. */
function watchedProgress({ id, attempt }: TaskContext, host: Host, words: Words): TaskContext['progress'] {
  let count = 0
  let isRefused = false
  return (percent, text) => {
    if (host.isEnding()) throw new Killed()
    const message = typeof text === 'string' ? text : null
    words.add(async () => {
      if (isRefused) return
      const { decision } = await host.execute(id, { type: 'progress', attempt, percent, message })
      isRefused = decision.kind === 'refused'
      await host.deliver()
    })
    if (!host.passNow(`progress ${++count}`)) return
    words.add(() => host.end())
    throw new Killed()
  }
}

function watchedLog(log: TaskLog, host: Host): TaskLog {
  const write = (level: LogLine['level']) => (message: string, fields?: Record<string, unknown>) => {
    if (host.isEnding()) return
    host.logged.push({ level, message, ...(fields && { fields }) })
    log[level](message, fields)
  }
  return { info: write('info'), warn: write('warn'), error: write('error') }
}
