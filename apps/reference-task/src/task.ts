import {
  discardRelease,
  InvalidId,
  nodeFileSystem as fs,
  publishRelease,
  SettingsError,
  type Workplace,
  writeFolderOnce,
} from '@release-task/release-folder'
import { chooseSource, SourceProblem } from '@release-task/study-records'
import { defineTask, PermanentError } from '@release-task/task-service'

import { readReleaseDir, readSettings } from './config.ts'
import { stageRelease } from './staging.ts'

const maker = { name: 'reference-task', version: '1.0.0' }

/** Copies the records of a release's studies into one folder of NDJSON files with a manifest, and publishes it. */
export default defineTask({
  ...maker,
  releaseDir: () => readReleaseDir(),

  async stage(task) {
    return await lastingProblems(async () => {
      const source = await chooseSource(fs, readSettings().source, task, writeFolderOnce)
      return await stageRelease(workplace(), task, source, maker)
    })
  },

  async publish(task) {
    await lastingProblems(() => publishRelease(workplace(), task))
  },

  async discard(task) {
    await lastingProblems(() => discardRelease(workplace(), task))
  },
})

function workplace(): Workplace {
  const { releaseDir, retention } = readSettings()
  return { fs, root: releaseDir, retention, now: () => new Date() }
}

/** Tells the SDK which problems no retry can solve; all others are tried again. */
async function lastingProblems<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof InvalidId || error instanceof SettingsError || error instanceof SourceProblem)
      throw new PermanentError(error.message, { cause: error })
    throw error
  }
}
