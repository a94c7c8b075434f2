import { mkdir, readdir, symlink, utimes, writeFile } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'

import { expect, test } from 'vitest'

import { nodeFileSystem } from './file-system.ts'
import { fakeTask } from './testing/fake-task.ts'
import { stageRows } from './testing/row-phases.ts'
import { RowReleases } from './testing/row-releases.ts'
import { watchedFileSystem } from './testing/watched-file-system.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const [OLD, YOUNG, OWN] = ['RE_0000000A', 'RE_0000000B', 'RE_0000000C']
const NOW = new Date('2024-06-01T12:00:00Z')

class Place {
  readonly it: RowReleases
  constructor(it: RowReleases) {
    this.it = it
  }

  static async open(keepLeftovers = 30 * DAY_MS): Promise<Place> {
    const it = await RowReleases.open()
    it.now = NOW
    it.retention = { keepPublished: null, keepLeftovers }
    return new Place(it)
  }

  /** What attempts of a release left, each of its own age, and the folder of the release of another. */
  async left(id: string, ageDays: number, attempts: readonly number[] = [ageDays]): Promise<void> {
    for (const [index, days] of attempts.entries()) {
      const folder = this.it.path('staging', id, String(index + 1))
      await mkdir(folder, { recursive: true })
      await writeFile(`${folder}/rows.ndjson`, '{}\n')
      await this.#age(folder, days)
    }
    await this.#age(this.it.path('staging', id), ageDays)
  }

  async #age(path: string, days: number): Promise<void> {
    const at = new Date(NOW.getTime() - days * DAY_MS)
    await utimes(path, at, at)
  }

  staging(): Promise<string[]> {
    return this.it.names('staging')
  }
}

test('what is older than the time goes when another release is staged, and leaves nothing in the trash', async () => {
  const place = await Place.open()
  await place.left(OLD, 31)
  await place.left(YOUNG, 29)
  await place.it.stage(OWN)
  expect(await place.staging()).toEqual([YOUNG, OWN])
  expect(await place.it.names('trash')).toEqual([])
})

test('the newest of the folder and its attempts is its age', async () => {
  const place = await Place.open()
  await place.left(OLD, 99, [99, 2])
  await place.left(YOUNG, 2, [99, 99])
  await place.it.stage(OWN)
  expect(await place.staging()).toEqual([OLD, YOUNG, OWN])
})

test('a release under way is never touched, whatever its age', async () => {
  const place = await Place.open()
  await place.left(OLD, 999)
  await place.it.stage(OWN, { underWay: [OLD] })
  expect(await readdir(place.it.path('staging', OLD, '1'))).toEqual(['rows.ndjson'])
})

test('the own release is not touched, whatever the list says', async () => {
  const place = await Place.open()
  await place.left(OWN, 999, [999, 999, 999])
  const task = await place.it.stage(YOUNG, { underWay: [] })
  expect(await place.staging()).toEqual([YOUNG])
  await place.left(OWN, 999, [999, 999, 999])
  await place.it.stage(OWN, { attempt: 2 })
  expect(await readdir(place.it.path('staging', OWN))).toEqual(['2', '3'])
  expect(task.warnings).toEqual([])
})

test('where there is nothing of others nobody is asked', async () => {
  const place = await Place.open()
  await place.left(OWN, 999)
  const asked = () => Promise.reject(new Error('asked in vain'))
  const task = { ...fakeTask({ releaseId: OWN, attempt: 2 }), releasesUnderWay: asked }
  await stageRows(place.it.place, task)
  expect(task.warnings).toEqual([])
})

test('0: nothing is ever removed', async () => {
  const place = await Place.open(0)
  await place.left(OLD, 999)
  await place.it.stage(OWN)
  expect(await place.staging()).toEqual([OLD, OWN])
})

test('without the list of what is under way nothing is removed, and the stage goes on', async () => {
  const place = await Place.open()
  await place.left(OLD, 999)
  const fails = () => Promise.reject(new Error('database is busy'))
  const task = { ...fakeTask({ releaseId: OWN }), releasesUnderWay: fails }
  await stageRows(place.it.place, task)
  expect(await place.staging()).toEqual([OLD, OWN])
  expect(task.warnings).toEqual([expect.stringContaining('cannot tell which are under way')])
})

test('a release that begins while it is asked is not touched', async () => {
  const place = await Place.open()
  await place.left(OLD, 999)
  const begins = async () => {
    await mkdir(place.it.path('staging', OLD, '7')) // changes the folder now
    return []
  }
  await stageRows(place.it.place, { ...fakeTask({ releaseId: OWN }), releasesUnderWay: begins })
  expect(await place.staging()).toEqual([OLD, OWN])
})

test('what is no folder of a release is left alone', async () => {
  const place = await Place.open()
  await mkdir(place.it.path('staging/notes'), { recursive: true })
  await mkdir(place.it.path('elsewhere'))
  await symlink('../elsewhere', place.it.path('staging', OLD))
  await writeFile(place.it.path('staging', YOUNG), 'a file')
  place.it.now = new Date('2099-01-01')
  await place.it.stage(OWN)
  expect(await place.staging()).toEqual([OLD, YOUNG, OWN, 'notes'])
})

test('what an attempt that ended in the middle had only moved to the trash is removed by the next', async () => {
  const place = await Place.open()
  await mkdir(place.it.path('trash', `${OWN}-others`, 'moved/1'), { recursive: true })
  await place.it.stage(OWN, { attempt: 2 })
  expect(await place.it.names('trash')).toEqual([])
})

test('one that cannot be removed is told, and the stage goes on', async () => {
  const place = await Place.open()
  await place.left(OLD, 99)
  await place.left(YOUNG, 99)
  place.it.fs = watchedFileSystem(nodeFileSystem, ({ name, path }) => {
    if (name === 'rename' && path === place.it.path('staging', OLD)) throw new Error('not permitted')
  })
  const task = await place.it.stage(OWN)
  expect(await place.staging()).toEqual([OLD, OWN])
  expect(task.warnings).toEqual([`cannot remove ${place.it.path('staging', OLD)}`])
})

test('one that another worker removes at the same moment is fine', async () => {
  const place = await Place.open()
  await place.left(OLD, 99)
  place.it.fs = watchedFileSystem(nodeFileSystem, async ({ name, path }) => {
    if (name !== 'rename' || path !== place.it.path('staging', OLD)) return
    await nodeFileSystem.rename(path, place.it.path('elsewhere'))
    await setImmediate()
  })
  const task = await place.it.stage(OWN)
  expect(await place.staging()).toEqual([OWN])
  expect(task.warnings).toEqual([])
})
