import { resolve } from 'node:path'

import {
  type Environment,
  readSourceSettings,
  type SettingText,
  SOURCE_SETTINGS,
  type SourceSettings,
} from '@release-task/study-records'

const RELEASE_DIR = {
  name: 'RELEASE_DIR',
  default: '.data/reference-task/release',
  about: 'Folder that holds what is staged and what is public.',
}

/** Every setting of this task. The only file that reads the environment is this one. */
export const SETTINGS: readonly SettingText[] = [RELEASE_DIR, ...SOURCE_SETTINGS]

export interface Settings {
  readonly releaseDir: string
  readonly source: SourceSettings
}

/**
 * Reads the settings; an empty text counts as not set. Called at the start of each phase, so nothing is read
 * when the file is merely imported.
 * @throws SourceProblem that names the wrong setting
 */
export function readSettings(env: Environment = process.env): Settings {
  return {
    releaseDir: resolve(env['RELEASE_DIR'] || RELEASE_DIR.default),
    source: readSourceSettings(env),
  }
}
