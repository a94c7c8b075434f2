import type { Setting, SettingsTable } from './setting.ts'

function shownDefault(setting: Setting<unknown>): string {
  return setting.default === null ? 'not set' : setting.default
}

/** Lines for `--help`: name, default, what it is. */
export function settingsHelp(table: SettingsTable): string {
  const settings = Object.values(table)
  const width = Math.max(...settings.map((setting) => setting.name.length))
  return settings
    .map((setting) => `  ${setting.name.padEnd(width)}  ${setting.about} (${shownDefault(setting)})`)
    .join('\n')
}

/** The same table as Markdown, for docs/configuration.md. */
export function settingsMarkdown(table: SettingsTable): string {
  const rows = Object.values(table).map(
    (setting) =>
      `| \`${setting.name}\` | \`${shownDefault(setting)}\` | ${setting.form} | ${setting.about} |`,
  )
  return ['| setting | default | form | what it does |', '|---|---|---|---|', ...rows].join('\n')
}
