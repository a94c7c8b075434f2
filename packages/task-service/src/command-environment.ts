import { RUN_VARIABLE } from './command-processes.ts'
import type { CoordinatorAccess, Json, TaskContext } from './define.ts'

type Environment = { readonly [name: string]: string | undefined }

/** Settings of the service that open a door: a program never gets them, whatever is asked for. */
const NEVER = /^(AUTH(0|_|$)|DASHBOARD_|DATABASE_URL$|QUEUE_URL$|COORDINATOR_TOKEN$)/
/** Names that mostly hold a secret: a program gets these only where they are named. */
const SECRET =
  /SECRET|PASSW|PASSPHRASE|TOKEN|CREDENTIAL|PRIVATE|API_?KEY|ACCESS_?KEY|PGPASS|(DATABASE|DB|REDIS)_UR[IL]/i
/** What another run said, should the service itself run inside of one; what this run does not say must not be there. */
const OF_A_RUN =
  /^(RELEASE_TASK_(ID|RUN)|RELEASE_ID|ATTEMPT|TASK_(NAME|VERSION)|PHASE|FROM_STATE|(WORK|STAGE)_DIR|STUDIES(_JSON)?|(STUDIES|STEPS|STAGED)_FILE|STEPS|STAGED)$/
/** Longer values do not fit: one may have 128 KiB, and all of them share their room with the arguments. */
const MOST_VALUE_BYTES = 32 * 1024 // 32 KiB

/**
 * What a program inherits of the environment of its service: everything that is no secret.
 * @param pass names of secrets that it is to have all the same
 */
export function inherited(env: Environment, pass: readonly string[]): Record<string, string> {
  const isKept = (name: string) =>
    !OF_A_RUN.test(name) && !NEVER.test(name) && (pass.includes(name) || !SECRET.test(name))
  const kept = Object.entries(env).filter(([name, value]) => value !== undefined && isKept(name))
  // Lines of Python must not wait in a buffer until the program ends.
  return { PYTHONUNBUFFERED: '1', ...(Object.fromEntries(kept) as Record<string, string>) }
}

export type Phase = 'stage' | 'publish' | 'discard'

/** What one run of a program is about. */
export interface RunFacts {
  readonly task: Pick<TaskContext, 'id' | 'releaseId' | 'studies' | 'attempt'>
  readonly name: string
  readonly version: string
  readonly phase: Phase
  readonly mark: string
  readonly access: CoordinatorAccess
  readonly steps: { readonly [name: string]: Json }
  /** What `stage` returned; undefined in `stage` itself. */
  readonly staged: Json | undefined
  /** Discard only: the state that the task came from. */
  readonly from: string | undefined
  readonly folders: { readonly work: string; readonly stage: string | null; readonly release: string }
}

/** JSON that may be long, by the name of its variable: also written to files, which `NAME_FILE` names. */
export function longValues({ task, steps, staged }: RunFacts): { readonly [name: string]: string } {
  return {
    STUDIES_JSON: JSON.stringify(task.studies),
    STEPS: JSON.stringify(steps),
    ...(staged === undefined ? {} : { STAGED: JSON.stringify(staged) }),
  }
}

/** The variables of one run. A long value that does not fit is left out: its file is there. */
export function runVariables(facts: RunFacts, file: (name: string) => string): Record<string, string> {
  const { task, phase, folders, access } = facts
  const long = Object.entries(longValues(facts))
  const values: Record<string, string | null | undefined> = {
    RELEASE_TASK_ID: task.id,
    RELEASE_ID: task.releaseId,
    ATTEMPT: String(task.attempt),
    TASK_NAME: facts.name,
    TASK_VERSION: facts.version,
    PHASE: phase,
    FROM_STATE: facts.from,
    WORK_DIR: folders.work,
    STAGE_DIR: folders.stage,
    RELEASE_DIR: folders.release,
    COORDINATOR_API: access.url,
    COORDINATOR_TOKEN: access.token,
    STUDIES: fitting(task.studies.join(',')),
    ...Object.fromEntries(long.map(([name, value]) => [name, fitting(value)])),
    ...Object.fromEntries(long.map(([name]) => [`${name.replace('_JSON', '')}_FILE`, file(name)])),
    [RUN_VARIABLE]: facts.mark,
  }
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => typeof value === 'string'),
  ) as Record<string, string>
}

/** No variable can hold a NUL; ids that may be shown have none. */
function fitting(value: string): string | null {
  return Buffer.byteLength(value) > MOST_VALUE_BYTES || value.includes('\0') ? null : value
}
