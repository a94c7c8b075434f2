import type { StageResult } from '@release-task/task-service'

import type { Workplace } from '../workplace.ts'
import type { FakeTask } from './fake-task.ts'

/**
 * The three phases of a task as the crash and power cut tests run them: the default export of a file that
 * imports no test runner, as processes that are to be killed load it, too.
 */
export interface Phases {
  /** @param source folder with what `writeSource` wrote */
  stage(place: Workplace, task: FakeTask, source: string): Promise<StageResult>
  publish(place: Workplace, task: FakeTask): Promise<void>
  discard(place: Workplace, task: FakeTask): Promise<void>
}

/** What those tests are told of a task. */
export interface TaskUnderTest {
  /** The file with the `Phases`. */
  readonly phases: URL
  /** Writes the input of a release over the study `SD_00000001`, small: every call of the file system is tried. */
  writeSource(folder: string): Promise<void>
}
