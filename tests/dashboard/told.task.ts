// A task for tests of the page: it does with each release what the file TOLD_FILE says at that moment, so that a
// release stands where a test wants to look at it.
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { defineTask, PermanentError } from '@release-task/task-service'

const file = process.env['TOLD_FILE'] ?? ''
const told = () => readFileSync(file, 'utf8')

/** As long as what a database or a service between says, and with what a page could break: lines, markup, no spaces. */
export const WHY = [
  'The table "genomic_files" has 3 rows without a study.',
  'SELECT kf_id FROM genomic_files WHERE study_id IS NULL LIMIT 3:',
  '  GF_00000001 <b>not markup</b> & "quoted"',
  `  https://storage.example.org/${'very-long-path-without-a-space/'.repeat(8)}end-of-the-path`,
  'Nothing was written. Mend the rows and make a new release.',
].join('\n')

/** Why the first attempt fails of a task that is told to stumble; the second is held. */
export const STUMBLE = 'The database closed the connection after 4 of 10 files.'

export default defineTask({
  name: 'told-task',
  version: '2.3.4',
  async stage(task) {
    task.progress(40, 'copied 4 of 10 files')
    if (told() === 'stumble' && task.attempt === 1) throw new Error(STUMBLE)
    while (told() === 'hold' || told() === 'stumble') {
      task.signal.throwIfAborted()
      await sleep(10)
    }
    if (told() === 'fail') throw new PermanentError(WHY)
    return { summary: { files: 10, bytes: 1_234_567 } }
  },
  async publish() {},
})
