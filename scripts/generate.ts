// Writes what is derived from the code into docs/, and with --check refuses a difference instead.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { AUTH_ERRORS } from '../packages/auth/src/errors.ts'
import { CLI_ERRORS } from '../packages/cli/src/errors.ts'
import { SETTINGS } from '../packages/cli/src/config.ts'
import { errorsMarkdown } from '../packages/cli/src/people/errors.ts'
import { COORDINATOR_ERRORS } from '../packages/coordinator/src/errors.ts'
import { DATABASE_ERRORS } from '../packages/database/src/errors.ts'
import { HTTP_ERRORS } from '../packages/http/src/errors.ts'
import { printActionTable, printReleaseTables } from '../packages/protocol/src/index.ts'
import { settingsMarkdown } from '../packages/settings/src/index.ts'
import { QUEUE_ERRORS } from '../packages/queue/src/errors.ts'
import { TASK_SERVICE_ERRORS } from '../packages/task-service/src/errors.ts'
import { SETTINGS as REFERENCE_TASK_SETTINGS } from '../apps/reference-task/src/config.ts'
import { SETTINGS as REPORT_TASK_SETTINGS } from '../apps/report-task/src/config.ts'
import { buildSchema, printSchema } from 'graphql'
import { SDL } from '../packages/coordinator/src/graphql/schema.ts'
import { access } from './access.ts'

const NOTE = '<!-- Written by `npm run generate` from the code; a test refuses a difference. -->'

function stateTables(): string {
  return [
    NOTE,
    '# State tables',
    '',
    'The legal moves of both sides, as the code has them. What they mean is in [protocol.md](protocol.md).',
    '',
    '## Task service: state × action',
    '',
    'A cell is the HTTP code and the state that is answered. `↺`: a replay, nothing is stored and nothing happens a second time.',
    '',
    printActionTable(),
    '',
    '## Coordinator',
    '',
    printReleaseTables(),
  ].join('\n')
}

const TASKS = { 'reference task': REFERENCE_TASK_SETTINGS, 'report task': REPORT_TASK_SETTINGS }

function configuration(): string {
  const sides = Object.entries(SETTINGS).flatMap(([side, table]) => [
    `## Settings of the ${side}`,
    '',
    settingsMarkdown(table),
    '',
  ])
  const own = Object.entries(TASKS).flatMap(([task, settings]) => [
    `## Settings of the ${task}`,
    '',
    '| setting | default | what it does |',
    '|---|---|---|',
    ...settings.map((one) => `| \`${one.name}\` | ${one.default} | ${one.about} |`),
    '',
  ])
  return [
    NOTE,
    '# Configuration',
    '',
    'Settings are read from the environment. Durations are written `250ms`, `30s`, `10m`, `1h`, `2d`; an empty value counts as not set.',
    '`release-task <command> --help` prints the same tables. `release-task dev` takes its ports and its data folder from flags and ignores `PORT` and `DATABASE_URL`.',
    '',
    ...sides,
    ...own,
  ].join('\n')
}

const ERRORS: { readonly [owner: string]: { readonly [code: string]: string } } = {
  'Task service': TASK_SERVICE_ERRORS,
  Coordinator: COORDINATOR_ERRORS,
  Database: DATABASE_ERRORS,
  Queue: QUEUE_ERRORS,
  Authentication: AUTH_ERRORS,
  HTTP: HTTP_ERRORS,
}

function errorTable(codes: { readonly [code: string]: string }): string[] {
  return [
    '| code | what it means, and what to do |',
    '|---|---|',
    ...Object.entries(codes).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`),
    '',
  ]
}

/** Both ends of the command line: one tells by the exit code what went wrong, the other does not. */
function commandLine(): string[] {
  return [
    '## Command line',
    '',
    '`releases`, `tasks` and `services`; [commands.md](commands.md#exit-codes) lists the exit codes:',
    '',
    errorsMarkdown(),
    '',
    '`new`, `dev`, `serve`, `coordinator`, `backup` and `token` end with 1; their message says what to type next:',
    '',
    ...errorTable(CLI_ERRORS),
  ]
}

function errors(): string {
  const tables = Object.entries(ERRORS).flatMap(([owner, codes]) => [`## ${owner}`, '', ...errorTable(codes)])
  return [
    NOTE,
    '# Errors',
    '',
    'Every error has one stable code. A task service answers `{"message": text, "code": code}`; the coordinator keeps the bodies of its contract (CR-14 in [protocol.md](protocol.md)).',
    '',
    ...commandLine(),
    ...tables,
  ].join('\n')
}

const FILES: { readonly [path: string]: () => string } = {
  'docs/state-tables.md': stateTables,
  'docs/configuration.md': configuration,
  'docs/errors.md': errors,
  'docs/access.md': () => access(NOTE),
  // Exactly what a tool prints of the running schema, so without the note.
  'docs/schema.graphql': () => printSchema(buildSchema(SDL)),
}

const check = process.argv.includes('--check')
let different = 0
for (const [path, make] of Object.entries(FILES)) {
  const file = fileURLToPath(new URL(`../${path}`, import.meta.url))
  const text = `${make().trimEnd()}\n`
  const same = existsSync(file) && readFileSync(file, 'utf8') === text
  if (same) continue
  different++
  if (check) console.error(`${path} differs from the code: npm run generate`)
  else writeFileSync(file, text)
}
console.log(check ? `${different} differences` : `${different} files written`)
process.exitCode = check && different > 0 ? 1 : 0
