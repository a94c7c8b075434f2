import { createLogger } from './logger.ts'

/*
 * A process that logs and ends, once something was written to it: `lines` of them, and at once, so that most are not
 * out when it ends.
 */
const lines = Number(process.argv[2])
const log = createLogger('child', 'info')
process.stdin.once('data', () => {
  for (let line = 1; line <= lines; line++) log.info({ line }, 'x'.repeat(100))
  process.exit(0)
})
