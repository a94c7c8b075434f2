import { setTimeout as sleep } from 'node:timers/promises'
import { DatabaseError } from '@release-task/database'
import type { Logger } from '@release-task/http'
import { backoffDelay } from '@release-task/protocol'
import { asJson, createContext } from './context.ts'
import type { CoordinatorClient } from './coordinator-client.ts'
import type { WorkerCommand } from './decision.ts'
import type { Json, StageResult, TaskDefinition } from './define.ts'
import { TaskServiceError } from './errors.ts'
import type { Executed } from './execute.ts'
import { ProgressSender } from './progress.ts'
import type { TaskRecord, Work } from './record.ts'

export interface PerformDependencies {
  readonly task: TaskDefinition
  readonly coordinator: CoordinatorClient
  readonly log: Logger
  readonly progressIntervalMs: number
  readonly say: (id: string, command: WorkerCommand) => Promise<Executed>
  readonly load: (id: string) => Promise<TaskRecord | null>
  readonly savedStep: (id: string, version: string, work: Work, name: string) => Promise<Json | undefined>
  readonly savedSteps: (id: string, version: string, work: Work) => Promise<{ readonly [name: string]: Json }>
  readonly releasesUnderWay: () => Promise<readonly string[]>
  /** Whether the author's code may begin here. @throws TaskServiceError, to be tried again */
  readonly checkPlace: (work: Work) => Promise<void>
}

/** What came of a phase. */
export interface Performed extends StageResult {
  /** What the author's code said last, where that is not stored yet. */
  readonly lastMessage?: string
}

/** Runs one phase of the author's task with everything it is given. @throws what the author's code throws */
export function createPerform(deps: PerformDependencies) {
  return async (record: TaskRecord, work: Work, signal: AbortSignal): Promise<Performed> => {
    const { attempt } = record
    const progress = new ProgressSender(async (percent, message) => {
      const { decision } = await deps.say(record.id, { type: 'progress', attempt, percent, message })
      return decision.kind !== 'refused'
    }, deps.progressIntervalMs)
    try {
      await patiently(signal, () => deps.checkPlace(work))
      const result = await runPhase(deps, record, work, { signal, progress })
      const lastMessage = await progress.end()
      return lastMessage === null ? result : { ...result, lastMessage }
    } finally {
      await progress.end()
    }
  }
}

async function runPhase(
  deps: PerformDependencies,
  record: TaskRecord,
  work: Work,
  { signal, progress }: { signal: AbortSignal; progress: ProgressSender },
): Promise<StageResult> {
  const { task } = deps
  const { id, attempt } = record
  const context = await createContext(record, work, {
    coordinator: deps.coordinator,
    log: deps.log,
    signal,
    progress,
    saveStudies: async (studies) =>
      accepted(await patiently(signal, () => deps.say(id, { type: 'studies', attempt, studies }))),
    savedStep: (name) => patiently(signal, () => deps.savedStep(id, task.version, work, name)),
    savedSteps: () => patiently(signal, () => deps.savedSteps(id, task.version, work)),
    saveStep: async (name, result) => {
      const step = { type: 'step', attempt, version: task.version, name, result } as const
      accepted(await patiently(signal, () => deps.say(id, step)))
    },
    releasesUnderWay: () => patiently(signal, deps.releasesUnderWay),
    assertCurrent: async () => assertCurrent(await patiently(signal, () => deps.load(id)), record, signal),
  })
  if (work === 'stage') return stageResult(await task.stage(context))
  if (work === 'publish') await task.publish(context)
  else await task.discard?.(context)
  return {}
}

const AWAY = ['DATABASE_UNREACHABLE', 'DATABASE_BUSY', 'DATABASE_OUTCOME_UNKNOWN']
const AWAY_BACKOFF = { firstMs: 100, maxMs: 5000 }

/**
 * Asks again while the database is away and the work is wanted: hours of work must not be lost because it was away at
 * the wrong moment. Everything that is asked so may be asked twice.
 */
async function patiently<T>(signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await ask()
    } catch (error) {
      const isAway = error instanceof DatabaseError && AWAY.includes(error.code)
      if (!isAway || signal.aborted) throw error
      await sleep(backoffDelay(AWAY_BACKOFF, failures, Math.random()), undefined, { signal })
    }
  }
}

function accepted({ decision }: Executed): void {
  if (decision.kind === 'refused') throw new TaskServiceError('LEASE_LOST', decision.message)
}

function assertCurrent(now: TaskRecord | null, then: TaskRecord, signal: AbortSignal): void {
  const current = now?.attempt === then.attempt && now.work === then.work && now.lease !== null
  if (!current || signal.aborted)
    throw new TaskServiceError('LEASE_LOST', `Attempt ${then.attempt} of ${then.id} no longer holds the task`)
}

function stageResult(value: StageResult | void): StageResult {
  if (value === undefined) return {}
  const { summary, staged } = (asJson('what stage returned', value) ?? {}) as StageResult
  // Only an object is taken by the coordinator and shown to people.
  if (summary !== undefined && (typeof summary !== 'object' || summary === null || Array.isArray(summary)))
    throw new TaskServiceError('RESULT_INVALID', 'the summary that stage returned is not a JSON object')
  return { ...(summary === undefined ? {} : { summary }), ...(staged === undefined ? {} : { staged }) }
}
