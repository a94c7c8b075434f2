import {
  checkAuthSettings,
  COORDINATOR_AUTH_SETTINGS,
  SIGN_IN_SETTINGS,
  signInOf,
  withAuth0Names,
} from '@release-task/auth'
import {
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

/** Every setting of the coordinator; `--help` and docs/configuration.md are printed from here. */
export const COORDINATOR_SETTINGS = {
  port: port('PORT', '5001', 'Port of the API.'),
  host: text(
    'HOST',
    '127.0.0.1',
    'Address that the API listens on. Any other than a loopback address needs AUTH=on, or AUTH=off with AUTH_OFF_PUBLIC=yes.',
  ),
  ...COORDINATOR_AUTH_SETTINGS,
  publicUrl: httpUrl(
    'PUBLIC_URL',
    null,
    'Address that links in answers begin with, instead of the Host header.',
  ),
  trustProxy: text(
    'TRUST_PROXY',
    null,
    'Addresses or networks of the proxies before it, with commas: their `X-Forwarded-*` headers are believed.',
  ),
  databaseUrl: text(
    'DATABASE_URL',
    'sqlite:.data/coordinator.db',
    'Where the state is kept: `sqlite:PATH`, or `postgres://…` for several instances.',
  ),
  databaseSync: choice(['full', 'normal'])(
    'DATABASE_SYNC',
    'full',
    '`full`: what was acknowledged survives a power cut. `normal`: only the end of the process; faster.',
  ),
  queueUrl: text(
    'QUEUE_URL',
    null,
    '`redis://…`: tells the other instances at once that there is something to do.',
  ),
  dataserviceUrl: httpUrl('DATASERVICE_URL', null, 'Data Service that the studies are read from.'),
  studiesFile: text(
    'STUDIES_FILE',
    null,
    'JSON file with the studies, where DATASERVICE_URL is not set. Default: three samples.',
  ),
  actionDeadline: duration(
    'ACTION_DEADLINE',
    '30s',
    'How long `initialize` and `start` are tried, and `cancel` is waited for.',
  ),
  publishDeadline: duration('PUBLISH_DEADLINE', '10m', 'How long `publish` is tried.'),
  requestTimeout: duration('REQUEST_TIMEOUT', '15s', 'How long one request to a task service may take.'),
  privateAddresses: choice(['allow', 'refuse'])(
    'PRIVATE_ADDRESSES',
    'allow',
    '`refuse`: task services at private and loopback addresses are neither registered nor called.',
  ),
  lease: duration(
    'LEASE',
    '15s',
    'For so long a coordinator that is gone with its host keeps what it was telling a service from the others.',
  ),
  pollInterval: duration(
    'POLL_INTERVAL',
    '10s',
    'How often working tasks are asked for their state; 0: never.',
  ),
  healthInterval: duration(
    'HEALTH_INTERVAL',
    '10s',
    'How often the health of every task service is checked.',
  ),
  taskTimeout: duration(
    'TASK_TIMEOUT',
    '160000s',
    'How long a working task may say nothing: then its release is canceled, or needs attention if it is publishing.',
  ),
  releaseTimeout: duration(
    'RELEASE_TIMEOUT',
    '360000s',
    'How long a release may initialize or run: then it is canceled; how long it may publish: then it needs attention.',
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
  dashboardDir: text(
    'DASHBOARD_DIR',
    null,
    'Folder of the built page, which browsers are then shown at the paths of the API. It may come, or be replaced, later. The published package brings one along.',
  ),
  ...SIGN_IN_SETTINGS,
  logLevel: choice(['trace', 'debug', 'info', 'warn', 'error', 'silent'])(
    'LOG_LEVEL',
    'info',
    'The least level that is logged.',
  ),
} as const

export type CoordinatorConfig = SettingsOf<typeof COORDINATOR_SETTINGS>

/** @throws SettingsError that names every setting that is wrong */
export function readConfig(env: Environment = process.env): CoordinatorConfig {
  const config = readSettings(COORDINATOR_SETTINGS, withAuth0Names(env))
  checkAuthSettings('coordinator', config)
  signInOf(config)
  return config
}
