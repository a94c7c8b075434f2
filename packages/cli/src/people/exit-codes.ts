/** How the commands for people and CI end; docs/commands.md and `--help` show this table. */
export const EXIT = {
  done: 0,
  refused: 1,
  usage: 2,
  timedOut: 3,
  notReachable: 4,
  notPermitted: 5,
  failed: 10,
  canceled: 11,
  interrupted: 130,
} as const
export type ExitName = keyof typeof EXIT

export const EXIT_MEANINGS: { readonly [name in ExitName]: string } = {
  done: 'done; with `wait`: reached',
  refused:
    'refused, not found, or declined; with `wait`: the release came to another end; with `check`: the contract is broken',
  usage: 'wrong usage: nothing was asked of the coordinator',
  timedOut: '`wait`: the time was over first',
  notReachable: 'the coordinator, the task service or the issuer of tokens could not be reached',
  notPermitted: 'not permitted, or no good token',
  failed: '`watch`, `wait`: the release failed',
  canceled: '`watch`, `wait`: the release was canceled',
  interrupted: 'interrupted with Ctrl-C',
}

/** The table as `--help` shows it. */
export function exitCodesHelp(): string {
  const lines = Object.entries(EXIT).map(
    ([name, code]) => `  ${String(code).padStart(3)}  ${EXIT_MEANINGS[name as ExitName].replaceAll('`', '')}`,
  )
  return `\nExit codes:\n${lines.join('\n')}`
}

/** The same table as Markdown, for docs/commands.md. */
export function exitCodesMarkdown(): string {
  const rows = Object.entries(EXIT).map(([name, code]) => `| ${code} | ${EXIT_MEANINGS[name as ExitName]} |`)
  return ['| exit code | when |', '|---|---|', ...rows].join('\n')
}
