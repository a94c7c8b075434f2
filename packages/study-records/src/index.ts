export { COLLECTIONS, CountMismatch, type Collection, type RowSource } from './source.ts'
export { chooseSource } from './choose-source.ts'
export { readDataservice, type PagingOptions } from './dataservice.ts'
export { fileName, readSourceFolder, sourceFile } from './source-folder.ts'
export { type InputFile, type InputFiles } from './input-files.ts'
export { countRows, PartReader, type Part, type Reader } from './part-reader.ts'
export { type SampleFile, type SampleFolder, type WriteFolderOnce } from './sample-input.ts'
export { SAMPLE_STUDIES, type SampleStudy } from './sample.ts'
export {
  readSourceSettings,
  SOURCE_SETTINGS,
  type Environment,
  type SettingText,
  type SourceSettings,
} from './settings.ts'
export { SourceProblem } from './source-problem.ts'
