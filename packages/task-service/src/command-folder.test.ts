import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ProgramFolders } from './command-folder.ts'

let dir: string
let folders: ProgramFolders

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'folders-'))
  folders = new ProgramFolders(dir)
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const ids = (attempt: number, releaseId = 'RE_00000001') => ({ id: 'TA_00000001', releaseId, attempt })
const isThere = (attempt: number) => existsSync(folders.work(ids(attempt)))

async function made(...attempts: number[]): Promise<void> {
  for (const attempt of attempts) {
    await folders.create(ids(attempt))
    writeFileSync(join(folders.work(ids(attempt)), 'large'), '')
  }
}

test('each attempt has a folder, and begins with an empty one', async () => {
  await made(1, 2, 1)
  await folders.create(ids(1))
  expect(folders.work(ids(1))).toBe(join(dir, 'programs/RE_00000001/TA_00000001/1/work'))
  expect(readdirSync(folders.work(ids(1)))).toEqual([])
  expect(await folders.all()).toHaveLength(2)
})

test('an id leads nowhere else', () => {
  const path = folders.work({ id: 'TA_/../../..', releaseId: 'RE_/../../x', attempt: 1 })
  expect(path).toBe(join(dir, 'programs/RE_%2F..%2F..%2Fx/TA_%2F..%2F..%2F../1/work'))
})

test('earlier attempts are removed, later ones never: who asks may be late', async () => {
  await made(1, 2, 3, 10)
  await folders.removeEarlier(ids(3))
  expect([1, 2, 3, 10].filter(isThere)).toEqual([3, 10])
})

test('of a run that may yet have to be found its files are removed, its record not, for a day', async () => {
  await made(1)
  const record = join(folders.attempt(ids(1)), 'run.json')
  writeFileSync(record, '{}')
  await folders.remove(ids(1))
  expect(readdirSync(folders.attempt(ids(1)))).toEqual(['run.json'])
  await folders.removeEnded(async () => [])
  expect(existsSync(record)).toBe(true)
  const long = new Date(Date.now() - 25 * 60 * 60 * 1000)
  utimesSync(record, long, long)
  await folders.removeEnded(async () => [])
  expect(readdirSync(join(dir, 'programs'))).toEqual([])
})

test('releases that have ended are removed, as they are told after the folders were looked at', async () => {
  await made(1)
  await folders.create(ids(2, 'RE_00000002'))
  await folders.removeEnded(async () => {
    // A release that began in between is not among those that were seen.
    await folders.create(ids(1, 'RE_00000003'))
    return ['RE_00000002']
  })
  expect(readdirSync(join(dir, 'programs')).toSorted()).toEqual(['RE_00000002', 'RE_00000003'])
})

test('where nothing was ever run nobody is asked', async () => {
  await folders.removeEnded(() => Promise.reject(new Error('asked')))
  expect(await folders.all()).toEqual([])
})
