import { resolve } from 'node:path'

import { SourceProblem } from './source-problem.ts'

/** One line of the settings table in the documentation. */
export interface SettingText {
  readonly name: string
  readonly default: string
  readonly about: string
}

const SAMPLE_FOLDER = '.data/sample-input'

/** The settings that say where rows come from: part of the table of every task that reads them. */
export const SOURCE_SETTINGS: readonly SettingText[] = [
  {
    name: 'SOURCE_DIR',
    default: 'SAMPLE_DIR',
    about: 'Folder with the rows of each study, read while DATASERVICE_URL is not set.',
  },
  {
    name: 'SAMPLE_DIR',
    default: SAMPLE_FOLDER,
    about: 'Folder of the sample input, generated there at first use and read while nothing else is set.',
  },
  {
    name: 'DATASERVICE_URL',
    default: 'not set',
    about: 'Address of a Data Service; where it is set, the rows are read from it, page by page.',
  },
]

export interface SourceSettings {
  readonly sourceDir: string
  /** True where nobody chose SOURCE_DIR: then the sample input may be generated there. */
  readonly sampleInput: boolean
  readonly dataserviceUrl: string | null
}

export type Environment = { readonly [name: string]: string | undefined }

/**
 * Reads the settings; an empty text counts as not set.
 * @throws SourceProblem that names the wrong setting
 */
export function readSourceSettings(env: Environment): SourceSettings {
  const chosen = env['SOURCE_DIR'] || null
  return {
    sourceDir: resolve(chosen ?? (env['SAMPLE_DIR'] || SAMPLE_FOLDER)),
    sampleInput: chosen === null,
    dataserviceUrl: httpAddress('DATASERVICE_URL', env['DATASERVICE_URL'] || null),
  }
}

function httpAddress(name: string, text: string | null): string | null {
  if (text === null) return null
  const url = URL.canParse(text) ? new URL(text) : null
  // The value is not repeated in the message: it may hold a password, and messages end up in logs.
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password)
    throw new SourceProblem(`${name} must be an http:// or https:// address without user and password`)
  return text.replace(/\/+$/, '')
}
