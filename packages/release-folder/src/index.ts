export { nodeFileSystem, type EntryKind, type FileSystem, type OpenFile } from './file-system.ts'
export { makeFolders, readText, syncFolders, withFile, writeText } from './durable.ts'
export { factsOf, writeTextFile, type FileFacts } from './facts.ts'
export { writeRows, type Batches } from './ndjson.ts'
export { writeFolderOnce, type RowFile, type RowFolder } from './complete-folder.ts'
export {
  type Maker,
  type Manifest,
  type ManifestFile,
  type Run,
  type Subject,
  type Totals,
} from './manifest.ts'
export { readSubject, stageFolder, type StagedFolder } from './staging.ts'
export { discardRelease, publishRelease } from './publication.ts'
export { type Publication } from './latest.ts'
export { readRetention, RETENTION_SETTINGS, type Retention } from './retention.ts'
export { SettingsError } from '@release-task/settings'
export { InvalidId } from './invalid-id.ts'
export { type Workplace } from './workplace.ts'
