import { readSettings } from '@release-task/settings'
import { COMMAND_SETTINGS, type CommandSettings } from './settings.ts'

/** What the commands for people and CI read. @throws SettingsError */
export function commandSettings(): CommandSettings {
  return readSettings(COMMAND_SETTINGS, process.env)
}

/** What kind of terminal this is; `dumb` cannot move its cursor. */
export function terminalName(): string | undefined {
  return process.env['TERM']
}
