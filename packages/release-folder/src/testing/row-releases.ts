import { readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'

import { nodeFileSystem } from '../file-system.ts'
import { discardRelease, publishRelease } from '../publication.ts'
import type { Retention } from '../retention.ts'
import type { Workplace } from '../workplace.ts'
import { backdate } from './backdate.ts'
import { type FakeTask, fakeTask, type FakeTaskOptions } from './fake-task.ts'
import { stageRows } from './row-phases.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** A RELEASE_DIR with small releases, each published on its day. */
export class RowReleases {
  readonly root: string
  /** From here on; nothing of other releases is removed before it is set. */
  retention: Retention | null = null
  fs = nodeFileSystem
  now = new Date('2024-06-01')

  private constructor(root: string) {
    this.root = root
  }

  static async open(): Promise<RowReleases> {
    return new RowReleases(join(await temporaryFolder(), 'release'))
  }

  get place(): Workplace {
    const { fs, root, retention, now } = this
    return { fs, root, now: () => now, ...(retention && { retention }) }
  }

  async stage(releaseId: string, options: FakeTaskOptions = {}): Promise<FakeTask> {
    const task = fakeTask({ ...options, releaseId })
    const { staged } = await stageRows(this.place, task)
    return { ...task, staged }
  }

  async publish(task: FakeTask): Promise<void> {
    await publishRelease(this.place, { ...task, attempt: task.attempt + 1 })
  }

  async discard(releaseId: string, from: FakeTaskOptions['from'] = 'publishing'): Promise<void> {
    await discardRelease(this.place, fakeTask({ releaseId, from, attempt: 9 }))
  }

  /** Stages and publishes one release on that day, whatever was published before. */
  async past(releaseId: string, day: string): Promise<void> {
    await this.release(releaseId, day)
    await backdate(this.root, releaseId, day)
  }

  /** Stages and publishes one release on that day. */
  async release(releaseId: string, day: string, options: FakeTaskOptions = {}): Promise<FakeTask> {
    this.now = new Date(day)
    const task = await this.stage(releaseId, options)
    await this.publish(task)
    return task
  }

  path(...names: string[]): string {
    return join(this.root, ...names)
  }

  /** What is in a folder, without what the system itself puts there. */
  async names(folder: 'public' | 'staging' | 'trash'): Promise<string[]> {
    return (await readdir(this.path(folder))).toSorted()
  }

  latest(): Promise<string> {
    return readlink(this.path('public/latest'))
  }
}
