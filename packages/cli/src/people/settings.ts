import { AUTH_SETTINGS } from '@release-task/auth'
import { text, type SettingsOf } from '@release-task/settings'
import { TASK_SERVICE_SETTINGS } from '@release-task/task-service'

/** What the commands read from the environment; `--help` prints it from here. */
export const COMMAND_SETTINGS = {
  coordinatorApi: TASK_SERVICE_SETTINGS.coordinatorApi,
  token: text('RELEASE_TASK_TOKEN', null, 'Token that the coordinator is sent.'),
  serviceToken: text(
    'RELEASE_TASK_SERVICE_TOKEN',
    null,
    'Token that task services are sent; the other one is never sent to them.',
  ),
  authIssuer: AUTH_SETTINGS.authIssuer,
  authTokenUrl: AUTH_SETTINGS.authTokenUrl,
  authClientId: AUTH_SETTINGS.authClientId,
  authClientSecret: AUTH_SETTINGS.authClientSecret,
  authTokenAudience: { ...AUTH_SETTINGS.authTokenAudience, about: 'Audience of the coordinator.' },
  authAudience: {
    ...AUTH_SETTINGS.authAudience,
    about: 'Audience of the task services, for `tasks retry` and `give-up`.',
  },
} as const

export type CommandSettings = SettingsOf<typeof COMMAND_SETTINGS>
