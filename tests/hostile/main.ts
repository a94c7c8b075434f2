// `npm run hostile -- --count 50000 --seed N`: the full volume of hostile requests against both sides. With `--side` only
// one of them; with `--postgres` on a server of its own, which Debian's packages provide.
import { parseArgs } from 'node:util'
import { startPostgres } from '@release-task/test-servers'
import { BATCH, hunt, SIDES } from './hunt.ts'

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '50000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    side: { type: 'string' },
    postgres: { type: 'boolean', default: false },
  },
})
const [count, firstSeed] = [Number(values.count), Number(values.seed)]
if (!(Number.isInteger(count) && count > 0 && Number.isInteger(firstSeed)))
  throw new Error('--count and --seed are whole numbers')
if (values.side !== undefined && !Object.hasOwn(SIDES, values.side))
  throw new Error(`--side is one of ${Object.keys(SIDES).join(', ')}`)

/** How the batch that is under way is run again. */
let again = ''
// What ends a process in production ends this run too, at the request that did it.
for (const event of ['uncaughtException', 'unhandledRejection'])
  process.on(event, (error) => {
    console.error('CRASH', error)
    console.error(`  again: ${again}`)
    process.exit(1)
  })

const server = values.postgres ? await startPostgres() : null
let violations = 0
try {
  for (const side of values.side === undefined ? Object.keys(SIDES) : [values.side])
    violations += await all(side)
} finally {
  await server?.stop()
}
console.log(violations === 0 ? 'no promise was broken' : `${violations} violations`)
// Connections that are kept open for the next request would be waited for.
process.exit(violations === 0 ? 0 : 1)

/** Every batch against one side. @returns how many broke a promise */
async function all(side: string): Promise<number> {
  console.log(`${side}: ${count} requests from seed ${firstSeed}`)
  const statuses = new Map<number, number>()
  let broken = 0
  for (let done = 0, seed = firstSeed; done < count; done += BATCH, seed++) {
    const size = Math.min(BATCH, count - done)
    again = `npm run hostile -- --side ${side} --seed ${seed} --count ${size}${values.postgres ? ' --postgres' : ''}`
    const batch = await hunt(SIDES[side]!, seed, size, (await server?.createDatabase()) ?? 'sqlite::memory:')
    for (const [status, times] of batch.statuses) statuses.set(status, (statuses.get(status) ?? 0) + times)
    for (const violation of batch.violations) console.error(`VIOLATION ${violation}\n  again: ${again}`)
    broken += batch.violations.length
    if ((done / BATCH) % 10 === 9) console.log(`  ${done + size} of ${count}, ${broken} violations`)
  }
  const counts = [...statuses]
    .toSorted(([a], [b]) => a - b)
    .map(([status, times]) => `${status || 'ended'}: ${times}`)
  console.log(`  ${counts.join(', ')}`)
  return broken
}
