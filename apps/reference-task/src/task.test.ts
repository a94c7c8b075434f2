import { readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'

import { fakeTask, readTree, temporaryFolder } from '@release-task/release-folder/testing'
import { SAMPLE_STUDIES } from '@release-task/study-records'
import { fakeDataservice, lines } from '@release-task/study-records/testing'
import { PermanentError } from '@release-task/task-service'
import { afterEach, expect, test, vi } from 'vitest'

import task from './task.ts'

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

/** Settings of the test's own, whatever the environment says; a folder of its own is where the process stands. */
async function settings(env: { SOURCE_DIR?: string; DATASERVICE_URL?: string } = {}): Promise<string> {
  const home = await temporaryFolder()
  vi.spyOn(process, 'cwd').mockReturnValue(home)
  vi.stubEnv('RELEASE_DIR', join(home, 'release'))
  vi.stubEnv('SOURCE_DIR', env.SOURCE_DIR ?? '')
  vi.stubEnv('DATASERVICE_URL', env.DATASERVICE_URL ?? '')
  return home
}

test('is called as its package is', async () => {
  const { name, version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'))
  expect(task).toMatchObject({ name, version })
})

test('without settings: generates the sample, stages its 100,000 records, publishes and discards', async () => {
  const home = await settings()
  const studies = SAMPLE_STUDIES.map((study) => study.id)
  const result = await task.stage(fakeTask({ studies }))
  expect(result?.summary).toMatchObject({ studies: 3, files: 9, rows: 100_000, 'genomic-files': 70_000 })
  expect(await readTree(join(home, 'release')).then(Object.keys)).not.toContain('public')

  await task.publish(fakeTask({ attempt: 2, staged: result?.staged ?? null }))
  expect(await readlink(join(home, 'release/public/latest'))).toBe('RE_00000001')

  await task.discard?.(fakeTask({ attempt: 3, from: 'publishing' }))
  expect(Object.keys(await readTree(join(home, 'release'))).toSorted()).toEqual([
    'public',
    'staging',
    'trash',
  ])
})

test('reads from the Data Service where its address is set', async () => {
  const service = await fakeDataservice({ rows: lines('XX', 7).map((line) => JSON.parse(line) as object) })
  await settings({ DATASERVICE_URL: service.url })
  const result = await task.stage(fakeTask())
  expect(result?.summary).toMatchObject({ rows: 21 })
})

test('a chosen source folder without the study fails for good, and says what is expected where', async () => {
  const rows = await temporaryFolder()
  await settings({ SOURCE_DIR: rows })
  const staging = Promise.resolve(task.stage(fakeTask()))
  await expect(staging).rejects.toThrow(PermanentError)
  await expect(staging).rejects.toThrow(`the folder ${join(rows, 'SD_00000001')} does not exist`)
})

test('names the folder that all workers must share, as the environment says at that moment', async () => {
  const { releaseDir } = task
  if (typeof releaseDir !== 'function') throw new Error('no function')
  await settings({ DATASERVICE_URL: 'data.example' }) // wrong, and no concern of this
  vi.stubEnv('RELEASE_DIR', '/srv/shared')
  expect(releaseDir()).toBe('/srv/shared')
  vi.stubEnv('RELEASE_DIR', '')
  expect(releaseDir()).toBe(join(process.cwd(), '.data/reference-task/release'))
})

test('removes what is too much: published releases, and what was left in staging', async () => {
  const service = await fakeDataservice({ rows: lines('XX', 7).map((line) => JSON.parse(line) as object) })
  await settings({ DATASERVICE_URL: service.url })
  const root = await temporaryFolder()
  vi.stubEnv('RELEASE_DIR', root)
  vi.stubEnv('KEEP_PUBLISHED', '2')
  vi.stubEnv('KEEP_LEFTOVERS', '1ms')
  await task.stage(fakeTask({ releaseId: 'RE_0000000Z' }))
  for (const releaseId of ['RE_00000001', 'RE_00000002', 'RE_00000003']) {
    const result = await task.stage(fakeTask({ releaseId }))
    await task.publish(fakeTask({ releaseId, attempt: 2, staged: result?.staged ?? null }))
  }
  expect((await readdir(join(root, 'public'))).toSorted()).toEqual(['RE_00000002', 'RE_00000003', 'latest'])
  expect(await readdir(join(root, 'staging'))).toEqual([])
})

test('a wrong setting fails for good, in every phase', async () => {
  await settings({ DATASERVICE_URL: 'data.example' })
  for (const phase of [task.stage, task.publish, task.discard])
    await expect(phase?.(fakeTask())).rejects.toThrow(PermanentError)
  await settings()
  vi.stubEnv('KEEP_PUBLISHED', '0')
  for (const phase of [task.stage, task.publish, task.discard])
    await expect(phase?.(fakeTask())).rejects.toThrow(PermanentError)
})

test('an id that is none fails for good, in every phase', async () => {
  await settings()
  for (const phase of [task.stage, task.publish, task.discard])
    await expect(phase?.(fakeTask({ releaseId: '../RE_1' }))).rejects.toThrow(PermanentError)
})
