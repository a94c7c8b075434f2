import { count, duration, readSettings, type SettingsTable } from '@release-task/settings'

/** How long what was made stays in RELEASE_DIR. */
export interface Retention {
  /** How many published releases stay, the newest first; null: all of them. */
  readonly keepPublished: number | null
  /** From which age on what releases left in staging is removed, in milliseconds; 0: never. */
  readonly keepLeftovers: number
}

const TABLE = {
  keepPublished: count(1)(
    'KEEP_PUBLISHED',
    null,
    'How many published releases stay in RELEASE_DIR, the newest first; older ones are removed. Not set: all stay.',
  ),
  keepLeftovers: duration(
    'KEEP_LEFTOVERS',
    '30d',
    'After this time what a release left in staging is removed, if no task works on it any more; 0: never.',
  ),
} as const

/** The settings of this package, for the table of every task that uses it. */
export const RETENTION_SETTINGS = Object.values<SettingsTable[string]>(TABLE).map((setting) => ({
  name: setting.name,
  default: setting.default ?? 'not set',
  about: setting.about,
}))

/** @throws SettingsError that names every setting that is wrong */
export function readRetention(env: { readonly [name: string]: string | undefined }): Retention {
  return readSettings(TABLE, env)
}
