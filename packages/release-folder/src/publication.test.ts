import { appendFile, mkdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { nodeFileSystem } from './file-system.ts'
import { pointLatestAtNewest } from './latest.ts'
import { layoutOf } from './layout.ts'
import { discardRelease, publishRelease } from './publication.ts'
import { fakeTask, type FakeTaskOptions } from './testing/fake-task.ts'
import { stageRows } from './testing/row-phases.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'
import { readTree, type Tree } from './testing/tree.ts'
import { watchedFileSystem } from './testing/watched-file-system.ts'
import type { Workplace } from './workplace.ts'

const [OLD, MIDDLE, NEW] = ['RE_0000000C', 'RE_0000000B', 'RE_0000000A'] // not in the order of their names
const DAYS = { [OLD]: '2024-01-01', [MIDDLE]: '2024-02-01', [NEW]: '2024-03-01' }

class Stage {
  readonly place: Workplace
  now = '2024-06-01'

  constructor(root: string) {
    this.place = { fs: nodeFileSystem, root, now: () => new Date(this.now) }
  }

  static async open(): Promise<Stage> {
    return new Stage(join(await temporaryFolder(), 'release'))
  }

  async stage(releaseId: string, attempt = 1): Promise<FakeTaskOptions> {
    const { staged } = await stageRows(this.place, fakeTask({ releaseId, attempt }))
    return { releaseId, attempt: attempt + 1, staged }
  }

  async publish(task: FakeTaskOptions, fs = nodeFileSystem): Promise<void> {
    await publishRelease({ ...this.place, fs }, fakeTask(task))
  }

  async discard(task: FakeTaskOptions): Promise<void> {
    await discardRelease(this.place, fakeTask(task))
  }

  /** Stages and publishes, each release on its day. */
  async release(...ids: string[]): Promise<void> {
    for (const id of ids) {
      this.now = DAYS[id] ?? this.now
      await this.publish(await this.stage(id))
    }
  }

  path(...names: string[]): string {
    return join(this.place.root, ...names)
  }

  tree(): Promise<Tree> {
    return readTree(this.place.root)
  }

  latest(): Promise<string> {
    return readlink(this.path('public/latest'))
  }
}

test('publishing moves the staged folder, adds the publication and clears staging', async () => {
  const it = await Stage.open()
  const task = await it.stage(NEW, 3)
  await mkdir(it.path('staging', NEW, '9')) // of an attempt that lost
  await it.publish(task)
  const tree = await it.tree()
  expect(Object.keys(tree).toSorted()).toEqual([
    'public',
    `public/${NEW}`,
    `public/${NEW}/SD_00000001`,
    `public/${NEW}/SD_00000001/biospecimens.ndjson`,
    `public/${NEW}/SD_00000001/genomic-files.ndjson`,
    `public/${NEW}/SD_00000001/participants.ndjson`,
    `public/${NEW}/manifest.json`,
    `public/${NEW}/publication.json`,
    'public/latest',
    'staging',
    'trash',
  ])
  expect(tree['public/latest']).toBe(`link to ${NEW}`)
  expect(JSON.parse(await readFile(it.path('public', NEW, 'publication.json'), 'utf8'))).toEqual({
    release_id: NEW,
    published_at: '2024-06-01T00:00:00.000Z',
    attempt: 4,
  })
})

test('publishing again changes nothing, not even the time of publication', async () => {
  const it = await Stage.open()
  const task = await it.stage(NEW)
  await it.publish(task)
  const before = await it.tree()
  it.now = '2024-07-01'
  await it.publish({ ...task, attempt: 9 })
  expect(await it.tree()).toEqual(before)
})

test('latest is the newest by time of publication; a late retry of an older release does not win', async () => {
  const it = await Stage.open()
  const old = await it.stage(OLD)
  await it.release(OLD, MIDDLE, NEW)
  expect(await it.latest()).toBe(NEW)
  await it.publish(old)
  expect(await it.latest()).toBe(NEW)
})

test('latest passes over what is no published release', async () => {
  const it = await Stage.open()
  await it.release(OLD)
  for (const name of ['RE_ZZZZZZZZ', 'RE_YYYYYYYY', 'notes']) await mkdir(it.path('public', name))
  await writeFile(it.path('public/RE_YYYYYYYY/publication.json'), '{"published_at":"2029-0')
  await it.release(MIDDLE)
  expect(await it.latest()).toBe(MIDDLE)
})

test('of two workers that switch the link at once, the slower one does not bring the older release back', async () => {
  const it = await Stage.open()
  await it.release(OLD)
  const old = await it.stage(MIDDLE)
  // The older one has made its choice and is about to rename its link, when the newer one is published whole.
  let other: Promise<void> | null = null
  const slow = watchedFileSystem(nodeFileSystem, async ({ name, path }) => {
    if (name === 'rename' && path.endsWith(`.latest-${MIDDLE}`)) await (other ??= it.release(NEW))
  })
  it.now = '2024-02-01'
  await it.publish(old, slow)
  expect(other).not.toBeNull()
  expect(await it.latest()).toBe(NEW)
})

test('an attempt that has lost the task publishes nothing', async () => {
  const it = await Stage.open()
  const task = await it.stage(NEW)
  const assertCurrent = async () => {
    throw new Error('attempt 2 is not current')
  }
  await expect(it.publish({ ...task, assertCurrent })).rejects.toThrow('not current')
  const tree = await it.tree()
  expect(tree[`public/${NEW}`]).toBeUndefined()
  expect(tree['public/latest']).toBeUndefined()
  await it.publish(task)
  expect(await it.latest()).toBe(NEW)
})

test('the check of the attempt is the last thing before the rename (WK-14)', async () => {
  const it = await Stage.open()
  const order: string[] = []
  const fs = watchedFileSystem(nodeFileSystem, ({ name, to }) => void order.push(`${name} ${to ?? ''}`))
  const assertCurrent = async () => void order.push('assertCurrent')
  await it.publish({ ...(await it.stage(NEW)), assertCurrent }, fs)
  expect(order[order.indexOf('assertCurrent') + 1]).toBe(`rename ${it.path('public', NEW)}`)
})

test('a staged file that went bad is found before it is public', async () => {
  const it = await Stage.open()
  const task = await it.stage(NEW)
  await appendFile(it.path(`staging/${NEW}/1/SD_00000001/genomic-files.ndjson`), '{}\n')
  await expect(it.publish(task)).rejects.toThrow(
    /Verifying .*genomic-files.ndjson: bytes should be \d+ and is \d+/,
  )
  expect((await it.tree())[`public/${NEW}`]).toBeUndefined()
})

test.each([
  ['rows', (text: string) => text.replace('\n', ' ')],
  ['sha256', (text: string) => text.replace('größer', 'grösser')],
])('a published file with other %s is named', async (fact, change) => {
  const it = await Stage.open()
  const task = await it.stage(NEW)
  await it.publish(task)
  const path = it.path(`public/${NEW}/SD_00000001/biospecimens.ndjson`)
  await writeFile(path, change(await readFile(path, 'utf8')))
  await expect(it.publish(task)).rejects.toThrow(`Verifying ${path}: ${fact} should be`)
})

test.each([
  [null],
  [{ folder: '../../etc' }],
  [{ folder: `staging/${OLD}/1` }],
  [{ folder: `staging/${NEW}/x` }],
])('refuses to publish %j', async (staged) => {
  const it = await Stage.open()
  await it.stage(NEW)
  await expect(it.publish({ releaseId: NEW, staged })).rejects.toThrow('stage left no folder of it')
})

test('says what is missing where nothing is staged and nothing published', async () => {
  const it = await Stage.open()
  const task = await it.stage(NEW)
  await rm(it.path('staging', NEW), { recursive: true })
  await mkdir(it.path('public', NEW), { recursive: true })
  await expect(it.publish(task)).rejects.toThrow(/staging.* is gone, and .*public.* is not published/)
})

test('an empty public folder and a half-made link are no obstacle', async () => {
  const it = await Stage.open()
  const task = await it.stage(NEW)
  await mkdir(it.path('public', NEW), { recursive: true })
  await symlink('nowhere', it.path(`public/.latest-${NEW}`))
  await it.publish(task)
  const tree = await it.tree()
  expect(tree['public/latest']).toBe(`link to ${NEW}`)
  expect(tree[`public/.latest-${NEW}`]).toBeUndefined()
})

test.each(['pending', 'running', 'staged'] as const)(
  'discarding from %s leaves all that is public',
  async (from) => {
    const it = await Stage.open()
    await it.release(OLD, NEW)
    const before = await it.tree()
    await it.stage(NEW, 5)
    await it.discard({ releaseId: NEW, from })
    expect(await it.tree()).toEqual(before)
  },
)

test('discarding from publishing takes the release back, and latest to the one before', async () => {
  const it = await Stage.open()
  await it.release(OLD, MIDDLE)
  const before = await it.tree()
  await it.release(NEW)
  await it.stage(NEW, 5)
  for (const attempt of [6, 7]) {
    await it.discard({ releaseId: NEW, from: 'publishing', attempt })
    expect(await it.tree()).toEqual(before)
  }
})

test('discarding an older release leaves latest alone', async () => {
  const it = await Stage.open()
  await it.release(OLD, NEW)
  await it.discard({ releaseId: OLD, from: 'publishing' })
  expect(await it.latest()).toBe(NEW)
})

test('discarding the only release leaves no link', async () => {
  const it = await Stage.open()
  await it.release(NEW)
  await it.discard({ releaseId: NEW, from: 'publishing' })
  expect(Object.keys(await it.tree()).toSorted()).toEqual(['public', 'staging', 'trash'])
})

test('latest never points at nothing while a release is taken back', async () => {
  const it = await Stage.open()
  await it.release(OLD, NEW)
  const fs = watchedFileSystem(nodeFileSystem, async () => {
    const target = await nodeFileSystem.linkTarget(it.path('public/latest'))
    expect(target && (await nodeFileSystem.kindOf(it.path('public', target, 'manifest.json')))).toBe('file')
  })
  await discardRelease({ ...it.place, fs }, fakeTask({ releaseId: NEW, from: 'publishing' }))
  expect(await it.latest()).toBe(OLD)
})

test('latest is right in the end, although another worker points it back while the release goes', async () => {
  const it = await Stage.open()
  await it.release(OLD, NEW)
  const fs = watchedFileSystem(nodeFileSystem, async ({ name, path }) => {
    if (name === 'rename' && path === it.path('public', NEW))
      await pointLatestAtNewest(nodeFileSystem, layoutOf(it.place.root, OLD))
  })
  await discardRelease({ ...it.place, fs }, fakeTask({ releaseId: NEW, from: 'publishing' }))
  expect(await it.latest()).toBe(OLD)
})

test('discarding where nothing ever was is fine', async () => {
  const it = await Stage.open()
  for (const from of ['pending', 'publishing'] as const) await it.discard({ releaseId: NEW, from })
  await expect(it.tree()).rejects.toThrow('ENOENT')
})

test('a worker that was paused before the rename cannot publish what was discarded meanwhile', async () => {
  const it = await Stage.open()
  await it.release(OLD)
  const task = await it.stage(NEW)
  const fs = watchedFileSystem(nodeFileSystem, async ({ name, to }) => {
    if (name === 'rename' && to === it.path('public', NEW))
      await it.discard({ releaseId: NEW, from: 'publishing' })
  })
  await expect(it.publish(task, fs)).rejects.toThrow('ENOENT')
  expect((await it.tree())[`public/${NEW}`]).toBeUndefined()
  expect(await it.latest()).toBe(OLD)
})

test('nobody ever sees half of a folder that is being removed', async () => {
  const it = await Stage.open()
  await it.release(NEW)
  await it.stage(NEW, 5)
  const whole = Object.keys(await it.tree())
  const seen = new Set<string>()
  const fs = watchedFileSystem(nodeFileSystem, async () => {
    const tree = Object.keys(await it.tree())
    for (const place of [`public/${NEW}`, `staging/${NEW}`]) {
      const [left, all] = [tree, whole].map((paths) => paths.filter((path) => path.startsWith(place)).length)
      expect([0, all]).toContain(left)
      seen.add(`${place} ${left}`)
    }
  })
  await discardRelease({ ...it.place, fs }, fakeTask({ releaseId: NEW, from: 'publishing', attempt: 6 }))
  expect(seen.size).toBe(4) // each of them whole and gone: it did look in between
})
