import { readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'

import { fakeTask, readTree, temporaryFolder } from '@release-task/release-folder/testing'
import { SAMPLE_STUDIES } from '@release-task/study-records'
import { fakeDataservice, lines } from '@release-task/study-records/testing'
import { PermanentError } from '@release-task/task-service'
import { afterEach, expect, test, vi } from 'vitest'

import task from './task.ts'

const STUDIES = SAMPLE_STUDIES.map((study) => study.id)

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

/** Settings of the test's own, whatever the environment says; a folder of its own is where the process stands. */
async function settings(env: { SOURCE_DIR?: string; DATASERVICE_URL?: string } = {}): Promise<string> {
  const home = await temporaryFolder()
  vi.spyOn(process, 'cwd').mockReturnValue(home)
  vi.stubEnv('RELEASE_DIR', '')
  vi.stubEnv('SOURCE_DIR', env.SOURCE_DIR ?? '')
  vi.stubEnv('DATASERVICE_URL', env.DATASERVICE_URL ?? '')
  return join(home, '.data/report-task/release')
}

test('is called as its package is', async () => {
  const { name, version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'))
  expect(task).toMatchObject({ name, version })
})

test('without settings: generates the sample, counts its 100,000 records, publishes and discards', async () => {
  const root = await settings()
  const result = await task.stage(fakeTask({ studies: STUDIES }))
  expect(result?.summary).toMatchObject({
    studies: 3,
    participants: 12_000,
    biospecimens: 18_000,
    genomic_files: 70_000,
    genomic_file_bytes: 394_407_813_203_540,
  })
  expect(await readdir(root)).not.toContain('public')

  await task.publish(fakeTask({ attempt: 2, staged: result?.staged ?? null }))
  expect(await readlink(join(root, 'public/latest'))).toBe('RE_00000001')
  expect(await readdir(join(root, 'public/latest'))).toContain('index.html')

  await task.discard?.(fakeTask({ attempt: 3, from: 'publishing' }))
  expect(Object.keys(await readTree(root)).toSorted()).toEqual(['public', 'staging', 'trash'])
})

test.each(['generating the sample input: SD_9PYZAHHE genomic-files', 'counting rows', 'of 35,000 rows'])(
  'a cancel during "%s" stops it within a fraction of a second',
  async (moment) => {
    await settings()
    const cancel = new AbortController()
    let canceledAt = 0
    const onProgress = (message: string) => {
      if (canceledAt > 0 || !message.includes(moment)) return
      canceledAt = performance.now()
      setImmediate(() => cancel.abort(new Error('canceled by a person')))
    }
    const staging = task.stage(fakeTask({ studies: STUDIES, signal: cancel.signal, onProgress }))
    await expect(Promise.resolve(staging)).rejects.toThrow('canceled by a person')
    expect(performance.now() - canceledAt).toBeLessThan(500)
  },
)

test('reads from the Data Service where its address is set', async () => {
  const service = await fakeDataservice({ rows: lines('XX', 7).map((line) => JSON.parse(line) as object) })
  await settings({ DATASERVICE_URL: service.url })
  const result = await task.stage(fakeTask())
  expect(result?.summary).toMatchObject({ studies: 1, participants: 7, genomic_files: 7 })
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
  expect(releaseDir()).toBe(join(process.cwd(), '.data/report-task/release'))
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
