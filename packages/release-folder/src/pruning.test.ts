import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'

import { describe, expect, test } from 'vitest'

import { nodeFileSystem } from './file-system.ts'
import { fakeTask } from './testing/fake-task.ts'
import { RowReleases } from './testing/row-releases.ts'
import { watchedFileSystem } from './testing/watched-file-system.ts'

// Neither in the order of their names nor in that of their days.
const [FIRST, SECOND, THIRD, FOURTH, NEW] = [
  'RE_0000000D',
  'RE_0000000A',
  'RE_0000000E',
  'RE_0000000B',
  'RE_0000000C',
]
const DAYS = { [FIRST]: '2024-01-01', [SECOND]: '2024-02-01', [THIRD]: '2024-03-01', [FOURTH]: '2024-04-01' }

async function withReleases(keepPublished: number, ...ids: string[]): Promise<RowReleases> {
  const it = await RowReleases.open()
  for (const id of ids) await it.past(id, DAYS[id] ?? '')
  it.retention = { keepPublished, keepLeftovers: 0 }
  return it
}

test('the oldest releases beyond the number go, by their day, and leave nothing in the trash', async () => {
  const it = await withReleases(3, THIRD, FIRST, FOURTH, SECOND)
  await it.release(NEW, '2024-05-01')
  expect(await it.names('public')).toEqual([FOURTH, NEW, THIRD, 'latest'].toSorted())
  expect(await it.latest()).toBe(NEW)
  expect(await it.names('trash')).toEqual([])
})

test('not set: all stay', async () => {
  const it = await withReleases(1, FIRST, SECOND, THIRD)
  it.retention = { keepPublished: null, keepLeftovers: 0 }
  await it.release(NEW, '2024-05-01')
  expect(await it.names('public')).toEqual([FIRST, SECOND, THIRD, NEW, 'latest'].toSorted())
})

test('as many as there are is not too many', async () => {
  const it = await withReleases(3, FIRST, SECOND)
  const task = await it.stage(NEW)
  it.now = new Date('2024-05-01')
  await it.publish({ ...task, releasesUnderWay: () => Promise.reject(new Error('asked in vain')) })
  expect(await it.names('public')).toEqual([FIRST, SECOND, NEW, 'latest'].toSorted())
  expect(task.warnings).toEqual([])
})

test('of two that were published at the same moment that one stays which the link would name', async () => {
  const it = await withReleases(2)
  for (const id of [FIRST, THIRD, SECOND]) await it.past(id, '2024-01-01')
  expect(await it.latest()).toBe(THIRD)
  await it.release(NEW, '2024-05-01')
  expect(await it.names('public')).toEqual([NEW, THIRD, 'latest'])
})

describe('never', () => {
  test('the one before, which comes back where the new one is taken back', async () => {
    const it = await withReleases(1, FIRST, SECOND)
    await it.release(NEW, '2024-05-01')
    expect(await it.names('public')).toEqual([NEW, SECOND, 'latest'].toSorted())
    await it.discard(NEW)
    expect(await it.latest()).toBe(SECOND)
  })

  test('the one just published; although its clock was behind, it is the newest', async () => {
    const it = await withReleases(1, FIRST, SECOND, THIRD)
    await it.release(NEW, '2023-01-01')
    expect(await it.names('public')).toEqual([NEW, THIRD, 'latest'].toSorted())
    expect(await it.latest()).toBe(NEW)
  })

  test('one that a task still works on, however old', async () => {
    const it = await withReleases(1, FIRST, SECOND, THIRD)
    await it.release(NEW, '2024-05-01', { underWay: [FIRST] })
    expect(await it.names('public')).toEqual([FIRST, NEW, THIRD, 'latest'].toSorted())
  })

  test('one that was published while it was asked what is under way', async () => {
    const it = await withReleases(1, SECOND)
    const task = await it.stage(NEW)
    it.now = new Date('2024-05-01')
    const late = async () => {
      const { retention } = it
      it.retention = null
      await it.release(FIRST, '2023-01-01') // on a host whose clock is behind; it is under way from now on
      it.retention = retention
      return [NEW]
    }
    await it.publish({ ...task, releasesUnderWay: late })
    expect(await it.names('public')).toContain(FIRST)
  })

  test('the one that the link names', async () => {
    const it = await withReleases(1, FIRST, SECOND, THIRD)
    // Somebody points the link back after it was switched to the newest.
    const moved = async () => {
      await rm(it.path('public/latest'))
      await nodeFileSystem.link(FIRST, it.path('public/latest'))
      return []
    }
    const task = await it.stage(NEW)
    it.now = new Date('2024-05-01')
    await it.publish({ ...task, releasesUnderWay: moved })
    expect(await it.names('public')).toEqual([FIRST, NEW, THIRD, 'latest'].toSorted())
  })

  test('a folder that is no published release, and none of them counts', async () => {
    const it = await withReleases(2, FIRST, SECOND)
    const strange = ['RE_0000000X', 'RE_0000000Y', 'RE_0000000Z', 'notes']
    for (const name of strange) await mkdir(it.path('public', name))
    await writeFile(it.path('public/RE_0000000Y/publication.json'), '{"published_at":"2029-0')
    await writeFile(
      it.path('public/RE_0000000Z/publication.json'),
      JSON.stringify({ release_id: 'RE_0000000Z', published_at: 'long ago', attempt: 1 }),
    )
    // A copy that somebody made to look at: it says of itself that it is another release.
    await mkdir(it.path('public/RE_0000000V'))
    await writeFile(
      it.path('public/RE_0000000V/publication.json'),
      await readFile(it.path('public', FIRST, 'publication.json')),
    )
    await it.release(NEW, '2024-05-01')
    expect(await it.names('public')).toEqual([...strange, 'RE_0000000V', SECOND, NEW, 'latest'].toSorted())
  })
})

test('where it cannot be told what is under way nothing goes, and the release is published all the same', async () => {
  const it = await withReleases(1, FIRST, SECOND, THIRD)
  const task = await it.stage(NEW)
  it.now = new Date('2024-05-01')
  await it.publish({ ...task, releasesUnderWay: () => Promise.reject(new Error('database is busy')) })
  expect(await it.names('public')).toEqual([FIRST, SECOND, THIRD, NEW, 'latest'].toSorted())
  expect(task.warnings).toEqual([expect.stringContaining('cannot tell which are under way')])
})

test('one that cannot be removed is told, and neither the others nor the release fail over it', async () => {
  const it = await withReleases(1, FIRST, SECOND, THIRD)
  it.fs = watchedFileSystem(nodeFileSystem, ({ name, path }) => {
    if (name === 'rename' && path === it.path('public', FIRST)) throw new Error('not permitted')
  })
  const task = await it.release(NEW, '2024-05-01')
  expect(await it.names('public')).toEqual([FIRST, NEW, THIRD, 'latest'].toSorted())
  expect(task.warnings).toEqual([`cannot remove ${it.path('public', FIRST)}`])
  expect(await it.names('staging')).toEqual([])
})

test('a file of an old release that cannot be removed does not keep the new one from ending', async () => {
  const it = await withReleases(1, FIRST, SECOND)
  it.fs = watchedFileSystem(nodeFileSystem, ({ name, path }) => {
    if (name === 'removeFile' && path.endsWith('participants.ndjson') && path.includes('-others'))
      throw new Error('not permitted')
  })
  const task = await it.release(NEW, '2024-05-01')
  expect(await it.names('public')).toEqual([NEW, SECOND, 'latest'].toSorted())
  expect(await it.names('trash')).toEqual([`${NEW}-others`])
  expect(task.warnings).toHaveLength(2)
})

test('an attempt that loses its task in between removes nothing more', async () => {
  const it = await withReleases(1, FIRST, SECOND, THIRD)
  const task = await it.stage(NEW)
  it.now = new Date('2024-05-01')
  let asked = 0
  const assertCurrent = async () => {
    if (++asked > 2) throw new Error('attempt 2 is not current') // before the rename, before the first removal
  }
  await expect(it.publish({ ...task, assertCurrent })).rejects.toThrow('not current')
  expect(await it.names('public')).toEqual([NEW, SECOND, THIRD, 'latest'].toSorted())
})

test('two workers that take the same release away at once do each other no harm', async () => {
  const it = await withReleases(1, FIRST, SECOND)
  const task = await it.stage(NEW)
  it.now = new Date('2024-05-01')
  it.fs = watchedFileSystem(nodeFileSystem, async ({ name, path }) => {
    if (name !== 'rename' || path !== it.path('public', FIRST)) return
    await rename(path, it.path('elsewhere'))
    await setImmediate()
  })
  await it.publish(task)
  expect(task.warnings).toEqual([])
  expect(await it.names('public')).toEqual([NEW, SECOND, 'latest'].toSorted())
})

test('nothing goes before the new release is public, checked, and what the link names', async () => {
  const it = await withReleases(1, FIRST, SECOND)
  const seen: string[] = []
  it.fs = watchedFileSystem(nodeFileSystem, async ({ name, path }) => {
    if (name === 'rename' && path === it.path('public', FIRST)) seen.push(await it.latest())
  })
  await it.release(NEW, '2024-05-01')
  expect(seen).toEqual([NEW])
  const bad = await it.stage(THIRD)
  it.now = new Date('2024-06-01')
  it.fs = watchedFileSystem(nodeFileSystem, async ({ name, path, to }) => {
    if (name === 'rename' && to === it.path('public', THIRD))
      await writeFile(`${path}/SD_00000001/participants.ndjson`, 'gone bad at the last moment\n')
  })
  await expect(it.publish(bad)).rejects.toThrow('Verifying')
  expect(await it.names('public')).toEqual([NEW, SECOND, THIRD, 'latest'].toSorted())
})

test('a task is told what was removed', async () => {
  const it = await withReleases(1, FIRST, SECOND)
  const told: string[] = []
  const task = await it.stage(NEW)
  it.now = new Date('2024-05-01')
  await it.publish({ ...task, log: { ...fakeTask().log, info: (message) => void told.push(message) } })
  expect(told).toEqual([`removed ${it.path('public', FIRST)}`])
})
