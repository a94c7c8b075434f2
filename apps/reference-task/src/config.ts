import { dirname, join, resolve } from 'node:path'

import { PermanentProblem } from './permanent-problem.ts'

/** One line of the settings table in the documentation. */
export interface SettingText {
  readonly name: string
  readonly default: string
  readonly about: string
}

/** Every setting of this task. The only file that reads the environment is this one. */
export const SETTINGS: readonly SettingText[] = [
  {
    name: 'RELEASE_DIR',
    default: '.data/reference-task/release',
    about: 'Folder that holds what is staged and what is public.',
  },
  {
    name: 'SOURCE_DIR',
    default: 'sample-input beside RELEASE_DIR, generated at first use',
    about: 'Folder with the rows of each study, read while DATASERVICE_URL is not set.',
  },
  {
    name: 'DATASERVICE_URL',
    default: 'not set',
    about: 'Address of a Data Service; where it is set, the rows are read from it, page by page.',
  },
]

export interface Settings {
  readonly releaseDir: string
  readonly sourceDir: string
  /** True where nobody chose SOURCE_DIR: then the sample input may be generated there. */
  readonly sampleInput: boolean
  readonly dataserviceUrl: string | null
}

export type Environment = { readonly [name: string]: string | undefined }

/**
 * Reads the settings; an empty text counts as not set. Called at the start of each phase, so nothing is read
 * when the file is merely imported.
 * @throws PermanentProblem that names the wrong setting
 */
export function readSettings(env: Environment = process.env): Settings {
  const releaseDir = resolve(env['RELEASE_DIR'] || '.data/reference-task/release')
  const chosen = env['SOURCE_DIR'] || null
  return {
    releaseDir,
    sourceDir: chosen === null ? join(dirname(releaseDir), 'sample-input') : resolve(chosen),
    sampleInput: chosen === null,
    dataserviceUrl: httpAddress('DATASERVICE_URL', env['DATASERVICE_URL'] || null),
  }
}

function httpAddress(name: string, text: string | null): string | null {
  if (text === null) return null
  const url = URL.canParse(text) ? new URL(text) : null
  // The value is not repeated in the message: it may hold a password, and messages end up in logs.
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password)
    throw new PermanentProblem(`${name} must be an http:// or https:// address without user and password`)
  return text.replace(/\/+$/, '')
}
