import { crashTests, powerCutTests } from '@release-task/release-folder/testing'
import { writeStudy } from '@release-task/study-records/testing'

const task = {
  phases: new URL('testing/phases.ts', import.meta.url),
  writeSource: (folder: string) => writeStudy(folder, 'SD_00000001', [1, 2, 2]),
}

crashTests(task)
powerCutTests(task)
