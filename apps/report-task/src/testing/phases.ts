import { discardRelease, publishRelease } from '@release-task/release-folder'
import type { Phases } from '@release-task/release-folder/testing'
import { readSourceFolder } from '@release-task/study-records'

import { stageReport } from '../staging.ts'

const maker = { name: 'crash-test', version: '1.0.0' }

const phases: Phases = {
  stage: (place, task, source) => stageReport(place, task, readSourceFolder(place.fs, source), maker),
  publish: publishRelease,
  discard: discardRelease,
}
export default phases
