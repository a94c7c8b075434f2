// The reference task, held before or after its files become public for as long as a file is not there: whoever kills
// it in publish must not depend on being quick enough.
import { existsSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { defineTask } from '@release-task/task-service'
import reference from '../apps/reference-task/src/task.ts'

/** `<HOLD>.before` and `<HOLD>.after` appear where publish stands; it goes on once that name with `.open` is there. */
const hold = process.env['HOLD'] ?? ''

async function standAt(place: 'before' | 'after'): Promise<void> {
  writeFileSync(`${hold}.${place}`, '')
  while (!existsSync(`${hold}.${place}.open`)) await sleep(5)
}

export default defineTask({
  ...reference,
  async publish(task) {
    await standAt('before')
    await reference.publish(task)
    await standAt('after')
  },
})
