import { randomUUID } from 'node:crypto'
import { inherited, runVariables, type Phase, type RunFacts } from './command-environment.ts'
import { errorOfEnd, type ProgramEnd } from './command-exit.ts'
import { ProgramFolders } from './command-folder.ts'
import { ProgramLog } from './command-log.ts'
import type { RunProcesses } from './command-processes.ts'
import { endEarlier, newRecord, removeRecord, writeRecord, type RunRecord } from './command-record.ts'
import { nameOf, runProgram, type Program, type Start } from './command-run.ts'
import { wordsOf, type ProgramWords } from './command-words.ts'
import { processEnvironment } from './config.ts'
import type { DiscardContext, Json, StageResult, TaskContext } from './define.ts'

/** What all phases of a task have in common. */
export interface ProgramTask {
  readonly name: string
  readonly version: string
  readonly releaseDir: string
  readonly cwd: string
  readonly graceMs: number
  readonly pass: readonly string[]
}

/** One phase of one attempt. */
export interface PhaseRun {
  readonly phase: Phase
  readonly program: Program
  readonly task: TaskContext & Partial<Pick<DiscardContext, 'from'>>
  /** What `stage` returned, and its attempt; undefined in `stage` itself. */
  readonly staged: { readonly value: Json; readonly attempt: number | null } | undefined
}

/**
 * Runs the program of a phase, after whatever earlier runs have left behind has ended.
 * @returns what it told of itself
 * @throws Error, PermanentError: what its end means
 */
export async function runPhase(common: ProgramTask, run: PhaseRun): Promise<StageResult> {
  const folders = new ProgramFolders(common.releaseDir)
  await prepare(common, run, folders)
  const facts = await factsOf(common, run, folders)
  await folders.writeLongValues(facts)
  const log = new ProgramLog(run.task.log, [facts.access.token])
  const told: Told = {}
  const hear = hearing(run, log, told)
  const end = await runRecorded({ common, run, folders, facts }, async (stream, line) =>
    hear(stream, log.told(line)),
  )
  const name = nameOf(run.program)
  // Whatever it says when it was told to end: that is no word of work that is done.
  if (end === null) throw new Error(`${name} was ended: ${String(run.task.signal.reason)}`)
  const error = errorOfEnd(name, end, log.last())
  if (error) throw error
  return told
}

interface Prepared {
  readonly common: ProgramTask
  readonly run: PhaseRun
  readonly folders: ProgramFolders
  readonly facts: RunFacts
}

/** Runs it with a record of how its processes are found, which stays while anything of it lives. */
async function runRecorded(prepared: Prepared, hear: Start['hear']): Promise<ProgramEnd | null> {
  const { run, folders, facts } = prepared
  const { task } = run
  const dir = folders.attempt(task)
  const record = newRecord({ taskId: task.id, attempt: task.attempt, mark: facts.mark })
  // Before it begins: a worker that is killed right then leaves nothing that cannot be found.
  await writeRecord(dir, record)
  await task.assertCurrent()
  task.signal.throwIfAborted()
  const began = (processes: RunProcesses) => writeRecord(dir, { ...record, ...processes })
  const end = await runProgram({ ...startOf(prepared), began, hear })
  // Where it throws the record stays: another attempt or a discard follows, and looks for what may live.
  await removeRecord(dir)
  return end
}

function startOf({ common, run, folders, facts }: Prepared): Omit<Start, 'began' | 'hear'> {
  const own = runVariables(facts, (name) => folders.file(run.task, name))
  return {
    program: run.program,
    env: { ...inherited(processEnvironment(), common.pass), ...own },
    cwd: common.cwd,
    mark: facts.mark,
    graceMs: common.graceMs,
    signal: run.task.signal,
  }
}

/** Nothing of an earlier run may live, and the folders are there. */
async function prepare(
  common: ProgramTask,
  { phase, task }: PhaseRun,
  folders: ProgramFolders,
): Promise<void> {
  const elsewhere = ({ attempt }: RunRecord) =>
    task.log.warn(
      `attempt ${attempt} ran on another host: what may be left of it there is not ended from here`,
    )
  const successor = { taskId: task.id, attempt: task.attempt, graceMs: common.graceMs, elsewhere }
  await endEarlier(await folders.all(), successor)
  if (phase === 'stage') await folders.removeEarlier(task)
  await folders.removeEnded(() => task.releasesUnderWay())
  await folders.create(task)
}

async function factsOf(common: ProgramTask, run: PhaseRun, folders: ProgramFolders): Promise<RunFacts> {
  const { phase, task, staged } = run
  const stageAttempt = staged?.attempt ?? null
  return {
    task,
    name: common.name,
    version: common.version,
    phase,
    mark: randomUUID(),
    access: await task.coordinator.access(),
    steps: await task.steps(),
    staged: staged?.value,
    from: task.from,
    folders: {
      work: folders.work(task),
      stage: stageAttempt === null ? null : folders.work({ ...task, attempt: stageAttempt }),
      release: common.releaseDir,
    },
  }
}

type Told = { summary?: NonNullable<StageResult['summary']>; staged?: Json }

/** What becomes of a line: words do what they say, everything else is log. */
function hearing({ phase, task }: PhaseRun, log: ProgramLog, told: Told) {
  let percent = 0
  return async (stream: 'stdout' | 'stderr', line: string): Promise<void> => {
    const words = stream === 'stdout' ? wordsOf(line, phase === 'stage') : null
    if (words === null) return log.line(stream, line)
    percent = words.progress ?? percent
    if (words.progress !== undefined || words.message !== undefined) task.progress(percent, words.message)
    if (words.summary !== undefined) told.summary = words.summary
    if ('staged' in words) told.staged = words.staged ?? null
    await keepStep(task, words)
  }
}

/** Once the run is not wanted any more, nothing is kept, and that is no error of the program. */
async function keepStep(task: TaskContext, { step, result }: ProgramWords): Promise<void> {
  if (step === undefined || task.signal.aborted) return
  try {
    await task.step(step, () => result ?? null)
  } catch (error) {
    if (!task.signal.aborted) throw error
  }
}
