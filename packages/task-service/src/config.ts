import {
  choice,
  count,
  duration,
  httpUrl,
  port,
  readSettings,
  text,
  type Environment,
  type SettingsOf,
} from '@release-task/settings'

/** Every setting of a task service; `--help` and docs/configuration.md are printed from here. */
export const TASK_SERVICE_SETTINGS = {
  port: port('PORT', '8282', 'Port of the API.'),
  host: text(
    'HOST',
    '127.0.0.1',
    'Address that the API listens on. Any other than a loopback address needs AUTH=off.',
  ),
  auth: choice(['off'])('AUTH', null, '`off`: serve other machines although nothing checks who calls.'),
  coordinatorApi: httpUrl('COORDINATOR_API', 'http://127.0.0.1:5001', 'Address of the release coordinator.'),
  databaseUrl: text(
    'DATABASE_URL',
    'sqlite:.data/{task}/task.db',
    'Where the state is kept: `sqlite:PATH`; `{task}` stands for the name of the task.',
  ),
  databaseSync: choice(['full', 'normal'])(
    'DATABASE_SYNC',
    'full',
    '`full`: what was acknowledged survives a power cut. `normal`: only the end of the process; faster.',
  ),
  stageRetryFor: duration(
    'STAGE_RETRY_FOR',
    '30m',
    'How long a stage that makes no progress is tried again before the task fails.',
  ),
  attemptDeadline: duration('ATTEMPT_DEADLINE', '24h', 'The longest that one attempt of any phase may take.'),
  forgottenAfter: duration(
    'FORGOTTEN_AFTER',
    '1h',
    'A task that the coordinator does not know for so long is canceled, unless it is publishing.',
  ),
  lease: duration('LEASE', '15s', 'After this time without renewal another worker takes the work over.'),
  sweepInterval: duration('SWEEP_INTERVAL', '5s', 'How often work is looked for that nobody was woken for.'),
  progressInterval: duration(
    'PROGRESS_INTERVAL',
    '500ms',
    'Progress is stored and reported at most this often.',
  ),
  shutdownGrace: duration('SHUTDOWN_GRACE', '25s', 'How long running work may take to stop at shutdown.'),
  concurrency: count(1)('CONCURRENCY', '4', 'How many tasks are worked on at a time.'),
  logLevel: choice(['trace', 'debug', 'info', 'warn', 'error', 'silent'])(
    'LOG_LEVEL',
    'info',
    'The least level that is logged.',
  ),
} as const

export type TaskServiceConfig = SettingsOf<typeof TASK_SERVICE_SETTINGS>

/** @throws SettingsError that names every setting that is wrong */
export function readConfig(env: Environment = process.env): TaskServiceConfig {
  return readSettings(TASK_SERVICE_SETTINGS, env)
}
