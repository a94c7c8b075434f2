// docs/faults.md: what was done to the system, how often, and what came of it; from the rounds that were kept.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readRows } from './results.ts'
import type { Found } from './mutations.ts'
import { runTable, type Row } from './table.ts'

const DOCUMENT = fileURLToPath(new URL('../../docs/faults.md', import.meta.url))

const INTRODUCTION = `# What was done to it, and what was lost

Made by \`npm run faults -- --document\` from the rounds of \`npm run faults\` and \`npm run faults:mutations\`.

A round runs three to five releases over two task services, as real processes: one service in one process on SQLite, the
other with its APIs and workers apart. Some releases are published, some canceled in each of their phases, some fail;
some of the author's code fails once before it works, some does not stop when it is told to, some takes longer than a
lease. Meanwhile four to seven faults happen at random moments, all of
them from the seed: processes are killed and started again, suspended, stopped in good order; in every round one worker
is caught in the middle of its work and comes back when somebody else has it; their disk is full; every line between coordinator and services drops,
delays, doubles, cuts, answers as a broken gateway does, delivers what its sender has given up, or confirms a report
that never arrives. In \`full\` there are two coordinators, two APIs and two workers on PostgreSQL and Redis, which are
killed, restarted and flushed too; workers come back with clocks that are five minutes off, or lose the way to their
database without being told; half of the processes are on hosts of their own, where nobody can see that they are dead. (On SQLite all
processes share one host and its clock.) In every second block of ten seeds coordinators do not poll, so that every
report must arrive by itself.

Every effect of the author's code, everything that is done to a process and every request goes into one file outside, in
the order in which it happened. From that file, and from what both sides show at the end, a judge without any knowledge
of the code decides whether a promise was broken:

| promise | broken where |
|---|---|
| lost | a release does not end within 45 s after the last fault; what counts as done was not done; published, and nothing is public |
| doubled | two attempts of one task work at the same time; work is done again after it counted as done; two releases get one version |
| wrong end | published, canceled or failed, where the rules give another end |
| public before publish | an effect of \`publish\` before a person asked for it |
| public after cancel | a public file of a task that did not end published |
| fenced | what an attempt did counts, although a later one had begun |
| illegal change | a state changes that was final, or as no rule allows; a change is told twice or not at all |
| early report | \`staged\` or \`published\` is reported before the work has ended |
| disagreement | the sides show different ends; a canceled task is not cleaned up |
`

export function document(results: string): void {
  const parts = [INTRODUCTION]
  for (const backend of ['sqlite', 'full'] as const) {
    const rows = readRows(results, backend)
    if (rows.length > 0) parts.push(section(backend, rows))
  }
  parts.push(mutationSection(results))
  writeFileSync(DOCUMENT, parts.join('\n'))
}

function section(backend: string, rows: readonly Row[]): string {
  const seeds = rows.map((row) => row.seed).toSorted((a, b) => a - b)
  const command = `npm run faults -- --backend ${backend} --seed ${seeds[0]} --rounds ${seeds.length}`
  return `## ${backend}\n\n\`${command}\` (seeds ${seeds[0]} to ${seeds.at(-1)})\n\n${runTable(rows)}\n`
}

function mutationSection(results: string): string {
  const found = JSON.parse(readFileSync(join(results, 'mutations.json'), 'utf8')) as Found[]
  const rows = found.map(
    ({ name, backend, seed, rounds, kinds }) =>
      `| ${name} | ${backend} | ${kinds.length > 0 ? `round ${rounds} (seed ${seed + rounds - 1})` : `not in ${rounds} rounds`} | ${kinds.join(', ')} |`,
  )
  return `## Whether it would be noticed

\`npm run faults:mutations\` takes one protection at a time out of a copy of the sources, and runs the suite there until it
finds something, for 20 rounds at the most.

| taken out | backend | found in | as |
|---|---|---|---|
${rows.join('\n')}
`
}
