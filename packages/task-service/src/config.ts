import { AUTH_SETTINGS, checkAuthSettings } from '@release-task/auth'
import {
  bytes,
  choice,
  count,
  duration,
  httpUrl,
  origins,
  port,
  readSettings,
  text,
  type Environment,
  type SettingsOf,
} from '@release-task/settings'

/** Every setting of a task service; `--help` and docs/configuration.md are printed from here. */
export const TASK_SERVICE_SETTINGS = {
  role: choice(['all', 'api', 'worker'])(
    'ROLE',
    'all',
    '`all`: one process does everything. `api`, `worker`: any number of each share one database.',
  ),
  port: port('PORT', '8282', 'Port of the API; a worker without it takes any free one for its health.'),
  host: text(
    'HOST',
    '127.0.0.1',
    'Address that the API listens on. Any other than a loopback address needs AUTH=on, or AUTH=off with AUTH_OFF_PUBLIC=yes.',
  ),
  ...AUTH_SETTINGS,
  coordinatorApi: httpUrl('COORDINATOR_API', 'http://127.0.0.1:5001', 'Address of the release coordinator.'),
  databaseUrl: text(
    'DATABASE_URL',
    'sqlite:.data/{task}/task.db',
    'Where the state is kept: `sqlite:PATH` or `postgres://…`; `{task}` stands for the name of the task.',
  ),
  databaseSync: choice(['full', 'normal'])(
    'DATABASE_SYNC',
    'full',
    '`full`: what was acknowledged survives a power cut. `normal`: only the end of the process; faster.',
  ),
  queueUrl: text(
    'QUEUE_URL',
    null,
    '`redis://…`: wakes workers in other processes at once; without it they look every SWEEP_INTERVAL.',
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
  leaseGrace: duration(
    'LEASE_GRACE',
    '45s',
    'How long beyond its lease work goes on while the database does not answer; then it is told that the lease is lost.',
  ),
  sweepInterval: duration('SWEEP_INTERVAL', '5s', 'How often work is looked for that nobody was woken for.'),
  progressInterval: duration(
    'PROGRESS_INTERVAL',
    '500ms',
    'Progress is stored and reported at most this often.',
  ),
  shutdownGrace: duration('SHUTDOWN_GRACE', '25s', 'How long running work may take to stop at shutdown.'),
  concurrency: count(1)('CONCURRENCY', '4', 'How many tasks are worked on at a time.'),
  minFreeSpace: bytes(
    'MIN_FREE_SPACE',
    '1GB',
    'A stage begins only while the release folder has so much free space; 0: whatever there is.',
  ),
  keepEvents: duration(
    'KEEP_EVENTS',
    '0',
    'How long the events of a task are kept after it has ended; 0: for ever.',
  ),
  keepSteps: duration(
    'KEEP_STEPS',
    '30d',
    'How long the results of durable steps are kept after their task has ended; 0: for ever.',
  ),
  rateLimit: count(0)(
    'RATE_LIMIT',
    '200',
    'Requests per second that one address may make, five times as many at once; 0: any number. Behind a proxy everybody has its address.',
  ),
  corsOrigins: origins(
    'CORS_ORIGINS',
    null,
    'Origins whose pages may call the API from a browser, with commas between them.',
  ),
  logLevel: choice(['trace', 'debug', 'info', 'warn', 'error', 'silent'])(
    'LOG_LEVEL',
    'info',
    'The least level that is logged.',
  ),
} as const

export type TaskServiceConfig = SettingsOf<typeof TASK_SERVICE_SETTINGS>

/** @throws SettingsError that names every setting that is wrong */
export function readConfig(env: Environment = process.env): TaskServiceConfig {
  // Nobody calls a worker but whoever watches it, and on one host it must not take the API's port.
  const ownPort = env['ROLE'] === 'worker' && !env['PORT'] ? { PORT: '0' } : {}
  const config = readSettings(TASK_SERVICE_SETTINGS, { ...env, ...ownPort })
  checkAuthSettings('task-service', config)
  return config
}

/** The environment that the service was started in, for what is started in turn; who passes it on chooses from it. */
export function processEnvironment(): Environment {
  return process.env
}

/** How long the process waits for its work at shutdown. @throws SettingsError */
export function readShutdownGrace(env: Environment = process.env): number {
  return readSettings({ grace: TASK_SERVICE_SETTINGS.shutdownGrace }, env).grace
}
