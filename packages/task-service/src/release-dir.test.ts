import { link, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { defineTask } from './define.ts'
import { isPermanent } from './outcome.ts'
import { createMarker, type Marker } from './release-dir-file.ts'
import { assertReleaseDir, checkReleaseDir, type MarkerStore, releaseDirOf } from './release-dir.ts'

let home: string

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'release-dir-'))
  onTestFinished(() => rm(home, { recursive: true }))
})

/** The database, as all processes of the service see it. */
class Store implements MarkerStore {
  kept: Marker | null
  /** Runs after a read and before its answer: others may be faster than this reader. */
  afterRead: () => Promise<void> = async () => {}
  constructor(kept: Marker | null = null) {
    this.kept = kept
  }
  async read() {
    const { kept } = this
    await this.afterRead()
    return kept
  }
  async write(marker: Marker) {
    return (this.kept ??= marker)
  }
}

let nextId = 0
const check = (store: MarkerStore, folder: string, host = 'host-a', adopt = false, service = 'manifest') =>
  checkReleaseDir({
    dir: join(home, folder),
    service,
    host,
    store,
    newId: () => `id-${++nextId}`,
    now: () => new Date('2024-06-01T12:00:00Z'),
    adopt,
  })

const assertSame = (store: MarkerStore, folder: string) =>
  assertReleaseDir({ dir: join(home, folder), service: 'manifest', host: 'host-b', store })

const fileOf = async (folder: string) =>
  JSON.parse(await readFile(join(home, folder, '.release-dir.json'), 'utf8')) as Marker

/** All come to the same point before any of them goes on. */
function meeting(count: number): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  return () => {
    if (--count === 0) resolve()
    return promise
  }
}

test('another service’s folder is refused, whether this one has a folder already or not', async () => {
  const [own, other] = [new Store(), new Store()]
  await check(other, 'theirs', 'host-a', false, 'report')
  const refused = {
    code: 'RELEASE_DIR_FOREIGN',
    message: expect.stringContaining('"report", not to "manifest"'),
  }
  await expect(check(own, 'theirs')).rejects.toMatchObject(refused)
  expect(own.kept).toBeNull()
  await check(own, 'ours')
  await expect(check(own, 'theirs')).rejects.toMatchObject(refused)
  await expect(check(own, 'theirs', 'host-a', true)).rejects.toMatchObject(refused)
})

describe('the first worker', () => {
  test('makes the folder, marks it, and tells the database the same', async () => {
    const store = new Store()
    expect(await check(store, 'deep/release')).toBe('ours')
    expect(store.kept).toEqual({
      id: expect.any(String),
      service: 'manifest',
      host: 'host-a',
      path: join(home, 'deep/release'),
      created_at: '2024-06-01T12:00:00.000Z',
    })
    expect(await fileOf('deep/release')).toEqual(store.kept)
    expect(await readdir(join(home, 'deep/release'))).toEqual(['.release-dir.json'])
  })

  test('is refused by nobody when it comes again, and others that see the folder are not either', async () => {
    const store = new Store()
    await check(store, 'release')
    const first = await fileOf('release')
    expect(await check(store, 'release')).toBe('ours')
    expect(await check(store, 'release', 'host-b')).toBe('ours')
    await assertSame(store, 'release')
    expect(await fileOf('release')).toEqual(first)
  })

  test('that ended between the file and the database left a marker that is taken over', async () => {
    await check(new Store(), 'release')
    const store = new Store()
    expect(await check(store, 'release', 'host-b')).toBe('ours')
    expect(store.kept).toEqual(await fileOf('release'))
    expect(store.kept?.host).toBe('host-a')
  })
})

describe('workers that are all the first', () => {
  test('in one folder: they agree on one marker', async () => {
    const store = new Store()
    store.afterRead = meeting(5)
    const all = ['a', 'b', 'c', 'd', 'e'].map((host) => check(store, 'release', host))
    expect(await Promise.all(all)).toEqual(['ours', 'ours', 'ours', 'ours', 'ours'])
    expect(await fileOf('release')).toEqual(store.kept)
    expect(await readdir(join(home, 'release'))).toEqual(['.release-dir.json'])
  })

  test('in two folders: exactly one is refused, now and when it comes again', async () => {
    const store = new Store()
    store.afterRead = meeting(2)
    const both = await Promise.allSettled([check(store, 'one', 'host-a'), check(store, 'two', 'host-b')])
    store.afterRead = async () => {}
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    const loser = both[0].status === 'rejected' ? 'one' : 'two'
    await expect(check(store, loser)).rejects.toMatchObject({ code: 'RELEASE_DIR_DIFFERS' })
  })

  test('where the winner is whole before the loser makes its marker, the loser reads that of the winner', async () => {
    const store = new Store()
    store.afterRead = async () => {
      store.afterRead = async () => {}
      await check(store, 'release', 'host-a')
    }
    expect(await check(store, 'release', 'host-b')).toBe('ours')
    expect(store.kept?.host).toBe('host-a')
  })
})

describe('another folder (WK-13)', () => {
  test('with its own marker is refused, and both hosts and paths are named', async () => {
    const store = new Store()
    await check(store, 'one', 'host-a')
    await check(new Store(), 'two', 'host-c')
    const refused = check(store, 'two', 'host-b')
    await expect(refused).rejects.toThrow(
      `The folder ${join(home, 'two')} on host host-b has the marker of ${join(home, 'two')} on host host-c, and this service's release folder is ${join(home, 'one')} on host host-a: mount the same file system on both, or copy the folder with its .release-dir.json`,
    )
    const error = await refused.catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'TaskServiceError', code: 'RELEASE_DIR_DIFFERS' })
    expect(isPermanent(error)).toBe(false)
    await expect(assertSame(store, 'two')).rejects.toMatchObject({ code: 'RELEASE_DIR_DIFFERS' })
    await expect(check(store, 'two', 'host-b', true)).rejects.toMatchObject({ code: 'RELEASE_DIR_DIFFERS' })
  })

  test('at the same path on another host, each with a disk of its own, is refused', async () => {
    const store = new Store()
    await check(store, 'release', 'host-a')
    await rm(join(home, 'release'), { recursive: true }) // from here on host-b's own disk
    await check(new Store(), 'release', 'host-b')
    await expect(check(store, 'release', 'host-b')).rejects.toMatchObject({ code: 'RELEASE_DIR_DIFFERS' })
    await expect(assertSame(store, 'release')).rejects.toMatchObject({ code: 'RELEASE_DIR_DIFFERS' })
  })

  test('without a marker is refused and left as it is: its disk may not be mounted', async () => {
    const store = new Store()
    await check(store, 'one')
    await mkdir(join(home, 'empty'))
    for (const folder of ['empty', 'missing']) {
      await expect(check(store, folder, 'host-b')).rejects.toThrow('on host host-b has no .release-dir.json')
      await expect(assertSame(store, folder)).rejects.toMatchObject({ code: 'RELEASE_DIR_DIFFERS' })
    }
    expect((await readdir(home)).toSorted()).toEqual(['empty', 'one'])
    expect(await readdir(join(home, 'empty'))).toEqual([])
  })

  test('without a marker is adopted by a process that works alone, and then the old marker is its own', async () => {
    const store = new Store()
    await check(store, 'one')
    expect(await check(store, 'moved/here', 'host-a', true)).toBe('adopted')
    expect(await fileOf('moved/here')).toEqual(store.kept)
    expect(await check(store, 'moved/here', 'host-a', true)).toBe('ours')
    await assertSame(store, 'moved/here')
  })

  test('that is a whole copy is fine', async () => {
    const store = new Store()
    await check(store, 'one')
    await mkdir(join(home, 'copy'))
    await writeFile(join(home, 'copy/.release-dir.json'), JSON.stringify(await fileOf('one')))
    expect(await check(store, 'copy', 'host-b')).toBe('ours')
  })
})

describe('before publish', () => {
  test('a service that has no marker yet is not refused, and nothing is created', async () => {
    const store = new Store()
    await assertSame(store, 'release')
    expect(store.kept).toBeNull()
    expect(await readdir(home)).toEqual([])
  })
})

describe('a folder that cannot be used', () => {
  test.each([
    ['', 'is not whole'],
    ['{"id": "x"', 'is not whole'],
    ['null', 'is not whole'],
    ['{"id": 7}', 'is not whole'],
  ])('a marker %j is told, and worth another try', async (text, why) => {
    await writeFile(join(home, '.release-dir.json'), text)
    const refused = check(new Store(), '')
    await expect(refused).rejects.toMatchObject({ code: 'RELEASE_DIR_UNUSABLE' })
    await expect(refused).rejects.toThrow(why)
    expect(isPermanent(await refused.catch((error: unknown) => error))).toBe(false)
  })

  test('a file in its place is told with its path', async () => {
    await writeFile(join(home, 'file'), 'x')
    await expect(check(new Store(), 'file')).rejects.toThrow(
      `Cannot read ${join(home, 'file/.release-dir.json')}`,
    )
    await expect(check(new Store(), 'file/below')).rejects.toMatchObject({ code: 'RELEASE_DIR_UNUSABLE' })
  })

  test('a link that fails is told, and the draft is gone', async () => {
    const fails = () => Promise.reject(Object.assign(new Error('disk quota exceeded'), { code: 'EDQUOT' }))
    const marker = { id: 'x', service: 'manifest', host: 'h', path: home, created_at: '' }
    await expect(createMarker(home, marker, fails)).rejects.toThrow('disk quota exceeded')
    expect(await readdir(home)).toEqual([])
  })
})

describe('a file system without links', () => {
  const none: typeof link = () => Promise.reject(Object.assign(new Error('no links'), { code: 'EPERM' }))
  const marker = (id: string) => ({ id, service: 'manifest', host: 'h', path: home, created_at: '' })

  test('is marked all the same, and the second keeps what the first wrote', async () => {
    expect(await createMarker(home, marker('first'), none)).toEqual(marker('first'))
    expect(await createMarker(home, marker('second'), none)).toEqual(marker('first'))
    expect(await fileOf('')).toEqual(marker('first'))
    expect(await readdir(home)).toEqual(['.release-dir.json'])
  })
})

describe('what a task names', () => {
  const task = { name: 'x', version: '1', stage: () => undefined, publish: () => undefined }

  test('is a path or a function, asked each time, or nothing', () => {
    let dir = '/srv/one'
    const definition = defineTask({ ...task, releaseDir: () => dir })
    expect(releaseDirOf(definition)).toBe('/srv/one')
    dir = '/srv/two'
    expect(releaseDirOf(definition)).toBe('/srv/two')
    expect(releaseDirOf(defineTask({ ...task, releaseDir: '/srv' }))).toBe('/srv')
    expect(releaseDirOf(defineTask(task))).toBeNull()
  })

  test('must be absolute', () => {
    expect(() => defineTask({ ...task, releaseDir: 'relative' })).toThrow('"releaseDir" must be an absolute')
    expect(() => defineTask({ ...task, releaseDir: 7 as never })).toThrow('"releaseDir" must be an absolute')
    expect(() => releaseDirOf({ releaseDir: () => 'relative' })).toThrow('and is "relative"')
  })
})
