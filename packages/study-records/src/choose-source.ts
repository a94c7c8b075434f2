import { readDataservice } from './dataservice.ts'
import type { InputFiles } from './input-files.ts'
import { type Caller, sampleFolders, type WriteFolderOnce } from './sample-input.ts'
import type { SourceSettings } from './settings.ts'
import { readSourceFolder } from './source-folder.ts'
import type { RowSource } from './source.ts'

/**
 * The source that the settings choose: a Data Service, a folder, or the sample input.
 * @param writeFolderOnce writes the sample input where it is not there yet
 */
export async function chooseSource<Files extends InputFiles>(
  files: Files,
  settings: SourceSettings,
  task: Caller,
  writeFolderOnce: WriteFolderOnce<Files>,
): Promise<RowSource> {
  if (settings.dataserviceUrl !== null) return readDataservice(settings.dataserviceUrl)
  if (settings.sampleInput) await writeFolderOnce(files, settings.sourceDir, sampleFolders(task), task)
  return readSourceFolder(files, settings.sourceDir)
}
