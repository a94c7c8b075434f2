import { readSync, writeSync } from 'node:fs'

import { fakeTask } from '@release-task/release-folder/testing/fake-task'
import { SAMPLE_STUDIES } from '@release-task/study-records'
import type { TaskDefinition } from '@release-task/task-service'

/*
 * Runs `stage` of a task in a process of its own, with the settings of its environment. When it begins to generate
 * the sample input it says so, and stands still until it is told to go on: so a test can have two of them there.
 */
const [file = '', id = ''] = process.argv.slice(2)
const { default: definition } = (await import(file)) as { default: TaskDefinition }
let held = false
const onProgress = (message: string) => {
  if (held || !message.startsWith('generating the sample input')) return
  held = true
  writeSync(1, 'generating\n')
  readSync(0, Buffer.alloc(1)) // blocks the whole process, as it should
}
const task = fakeTask({ studies: SAMPLE_STUDIES.map((study) => study.id), onProgress })
const result = await definition.stage({ ...task, id })
writeSync(1, JSON.stringify(result?.summary))
