import { httpUrl, text, type SettingsOf } from '@release-task/settings'

/**
 * What the commands read from the environment; `--help` prints it from here. Written out, because the tables of the
 * two sides come with the whole of them; a test compares.
 */
export const COMMAND_SETTINGS = {
  coordinatorApi: httpUrl('COORDINATOR_API', 'http://127.0.0.1:5001', 'Address of the release coordinator.'),
  token: text('RELEASE_TASK_TOKEN', null, 'Token that the coordinator is sent.'),
  serviceToken: text(
    'RELEASE_TASK_SERVICE_TOKEN',
    null,
    'Token that task services are sent; the other one is never sent to them.',
  ),
  authIssuer: httpUrl('AUTH_ISSUER', null, 'Who issues the tokens, as their claim `iss` says.'),
  authTokenUrl: httpUrl(
    'AUTH_TOKEN_URL',
    null,
    'Where a token for the calls of this side is asked for. Default: `/oauth/token` of AUTH_ISSUER.',
  ),
  authClientId: text('AUTH_CLIENT_ID', null, 'Client that asks for that token.'),
  authClientSecret: text('AUTH_CLIENT_SECRET', null, 'Its secret.'),
  authTokenAudience: text('AUTH_TOKEN_AUDIENCE', null, 'Audience of the coordinator.'),
  authAudience: text(
    'AUTH_AUDIENCE',
    null,
    'Audience of the task services, for `tasks retry` and `give-up`.',
  ),
} as const

export type CommandSettings = SettingsOf<typeof COMMAND_SETTINGS>
