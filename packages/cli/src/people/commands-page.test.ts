import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { exitCodesHelp, exitCodesMarkdown, EXIT } from './exit-codes.ts'
import { releasesCommand } from './release-commands.ts'
import { servicesCommand } from './service-commands.ts'
import { tasksCommand } from './task-commands.ts'

const page = readFileSync(new URL('../../../../docs/commands.md', import.meta.url), 'utf8')

describe('docs/commands.md', () => {
  test('has the table of the code', () => expect(page).toContain(exitCodesMarkdown()))

  const commands = [releasesCommand(), tasksCommand(), servicesCommand()].flatMap((group) =>
    group.commands.map((one) => ({ name: `${group.name()} ${one.name()}`, options: one.options })),
  )
  test.each(commands)('shows $name with an example, and names its options', ({ name, options }) => {
    expect(page).toContain(`$ release-task ${name}`)
    for (const { long } of options) expect(page).toContain(`\`${long}`)
  })
})

test('--help shows every exit code', () => {
  for (const code of Object.values(EXIT))
    expect(exitCodesHelp()).toMatch(new RegExp(`^ +${code} {2}\\w`, 'm'))
})
