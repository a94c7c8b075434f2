import {
  COORDINATOR_SETTINGS,
  readConfig as readCoordinatorConfig,
  type CoordinatorConfig,
} from '@release-task/coordinator'
import { settingsHelp, type SettingsTable } from '@release-task/settings'
import {
  readConfig as readTaskServiceConfig,
  TASK_SERVICE_SETTINGS,
  type TaskServiceConfig,
} from '@release-task/task-service'

export { terminalName } from './people/config.ts'

/** What a command line says before the environment does. */
export interface Overrides {
  readonly role?: string | undefined
  readonly port?: number | undefined
  readonly coordinatorApi?: string | undefined
  readonly data?: string | undefined
}

function defined(values: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Record<
    string,
    string
  >
}

/** The settings of a task service; with a data folder, its state and its release folder lie under the task's name there. */
export function taskServiceConfig(
  name: string,
  { role, port, coordinatorApi, data }: Overrides,
): TaskServiceConfig {
  if (data !== undefined) {
    // Read by the task's own code, so they must be where it looks for them.
    process.env['RELEASE_DIR'] ||= `${data}/${name}/release`
    process.env['SAMPLE_DIR'] ||= `${data}/sample-input`
  }
  return readTaskServiceConfig({
    ...process.env,
    ...defined({
      ROLE: role,
      PORT: port?.toString(),
      COORDINATOR_API: coordinatorApi,
      DATABASE_URL: data === undefined ? undefined : `sqlite:${data}/${name}/task.db`,
    }),
  })
}

export function coordinatorConfig({ port, data }: Overrides): CoordinatorConfig {
  return readCoordinatorConfig({
    ...process.env,
    ...defined({
      PORT: port?.toString(),
      DATABASE_URL: data === undefined ? undefined : `sqlite:${data}/coordinator.db`,
    }),
  })
}

/**
 * The address of one side's database, as `serve` and `coordinator` find it; null where that takes the name of a side.
 * @param side `coordinator`, or the name of a task
 */
export function databaseUrl(side: string | undefined, data: string | undefined): string | null {
  const table = side === 'coordinator' ? COORDINATOR_SETTINGS : TASK_SERVICE_SETTINGS
  const file = side === 'coordinator' ? 'coordinator.db' : '{task}/task.db'
  const chosen = data === undefined ? process.env['DATABASE_URL'] : `sqlite:${data}/${file}`
  const url = chosen || (table.databaseUrl.default ?? '')
  if (side === undefined && url.includes('{task}')) return null
  return url.replace('{task}', () => side ?? '')
}

/** The settings of both sides, each once: the table behind `--help` and docs/configuration.md. */
export const SETTINGS: { readonly [side: string]: SettingsTable } = {
  'task service': TASK_SERVICE_SETTINGS,
  coordinator: COORDINATOR_SETTINGS,
}

/** The settings as `--help` shows them. */
export function settingsText(...sides: readonly string[]): string {
  return sides
    .map((side) => `\nSettings of the ${side} (environment):\n${settingsHelp(SETTINGS[side] ?? {})}`)
    .join('\n')
}

/**
 * The environment of a process that `dev` starts: it has flags of its own for port and database (decisions/006), each
 * of its processes works alone, and
 * somebody watches, so progress comes often. Several tasks share no folder, also where RELEASE_DIR is set.
 */
export function childEnvironment(
  task: string | null,
  settings: Readonly<Record<string, string>>,
): NodeJS.ProcessEnv {
  const releaseDir = process.env['RELEASE_DIR']
  const own = task !== null && releaseDir ? { RELEASE_DIR: `${releaseDir}/${task}` } : {}
  const alone = { PORT: '', DATABASE_URL: '', ROLE: '', QUEUE_URL: '' }
  // What production says of tokens does not hold here.
  const unset = Object.fromEntries(
    Object.keys(process.env)
      .filter(isAboutAuth)
      .map((name) => [name, '']),
  )
  return { PROGRESS_INTERVAL: '100ms', ...process.env, ...own, ...alone, ...unset, ...settings }
}

const isAboutAuth = (name: string) =>
  /^AUTH(0|_|$)|^DASHBOARD_(CLIENT_ID|AUTHORIZE_URL|TOKEN_URL|DEV_TOKEN_URL|SCOPE)$/.test(name)

/** Whether somebody asked for `dev` without tokens: `AUTH=off npm start`. */
export function isAuthOff(): boolean {
  return process.env['AUTH'] === 'off'
}

/** What a program that has settings of its own is started with. */
export function passedOn(): NodeJS.ProcessEnv {
  return { ...process.env }
}
