import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { checkFreeSpace } from './free-space.ts'
import { isPermanent } from './outcome.ts'

const full = async () => ({ blocks: 1000, bavail: 30, bsize: 4_000_000 }) // 120 MB are free

test('too little is told with what is free, what is asked for, and where; it is worth another try', async () => {
  const check = checkFreeSpace({ dir: '/srv/release', minBytes: 1_000_000_000, statfs: full })
  await expect(check).rejects.toMatchObject({ code: 'FREE_SPACE_LOW' })
  await expect(check).rejects.toThrow(
    'Only 120MB are free where /srv/release is, and MIN_FREE_SPACE asks for 1GB',
  )
  expect(isPermanent(await check.catch((error: unknown) => error))).toBe(false)
})

test('exactly enough is enough, and 0 asks nobody', async () => {
  await checkFreeSpace({ dir: '/srv', minBytes: 120_000_000, statfs: full })
  await expect(checkFreeSpace({ dir: '/srv', minBytes: 120_000_001, statfs: full })).rejects.toThrow('120MB')
  const never = () => Promise.reject(new Error('asked'))
  await checkFreeSpace({ dir: '/srv', minBytes: 0, statfs: never })
})

test('blocks are counted in the unit of the file system, where it tells one', async () => {
  const statfs = async () => ({ blocks: 1000, bavail: 30, bsize: 4_000_000, frsize: 1000 })
  await expect(checkFreeSpace({ dir: '/srv', minBytes: 1_000_000, statfs })).rejects.toThrow('Only 30KB')
})

test('a file system that does not tell its size is no hindrance', async () => {
  await checkFreeSpace({
    dir: '/srv',
    minBytes: 1000,
    statfs: async () => ({ blocks: 0, bavail: 0, bsize: 1 }),
  })
})

test('a folder that is not there yet is measured where it will be', async () => {
  const home = await mkdtemp(join(tmpdir(), 'free-space-'))
  onTestFinished(() => rm(home, { recursive: true }))
  await checkFreeSpace({ dir: join(home, 'a/b/c'), minBytes: 1 })
  await expect(checkFreeSpace({ dir: join(home, 'a/b/c'), minBytes: 2 ** 53 - 1 })).rejects.toThrow(
    `are free where ${join(home, 'a/b/c')} is`,
  )
})

test('a folder that cannot be asked is told with its path', async () => {
  const statfs = () => Promise.reject(Object.assign(new Error('stale handle'), { code: 'ESTALE' }))
  const check = checkFreeSpace({ dir: '/srv/release', minBytes: 1, statfs })
  await expect(check).rejects.toMatchObject({ code: 'RELEASE_DIR_UNUSABLE' })
  await expect(check).rejects.toThrow('Cannot tell what is free in /srv/release: stale handle')
})
