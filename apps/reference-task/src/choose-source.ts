import type { StageContext } from '@release-task/task-service'

import type { Settings } from './config.ts'
import { readDataservice } from './dataservice.ts'
import type { FileSystem } from './file-system.ts'
import { ensureSampleInput } from './sample-input.ts'
import { readSourceFolder } from './source-folder.ts'
import type { RowSource } from './source.ts'

/** The source that the settings choose: a Data Service, a folder, or the generated sample input. */
export async function chooseSource(
  fs: FileSystem,
  settings: Settings,
  task: StageContext,
): Promise<RowSource> {
  if (settings.dataserviceUrl !== null) return readDataservice(settings.dataserviceUrl)
  if (settings.sampleInput) await ensureSampleInput(fs, settings.sourceDir, task)
  return readSourceFolder(fs, settings.sourceDir)
}
