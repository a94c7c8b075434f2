import { readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'

import { fakeTask, readTree, temporaryFolder } from '@release-task/release-folder/testing'
import { SAMPLE_STUDIES } from '@release-task/study-records'
import { fakeDataservice, lines, writeStudy } from '@release-task/study-records/testing'
import { PermanentError } from '@release-task/task-service'
import { killAtEveryMoment, testTask } from '@release-task/task-service/testing'
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
  await using kit = await testTask(task, { studies: SAMPLE_STUDIES.map((study) => study.id) })
  await kit.runTo('staged')
  const { summary } = await kit.task()
  expect(summary).toMatchObject({ studies: 3, files: 9, rows: 100_000, 'genomic-files': 70_000 })
  expect(kit.reports.at(-1)).toEqual({
    state: 'staged',
    progress: 100,
    message: expect.any(String),
    summary,
    attempt: 1,
  })
  expect(await readTree(join(home, 'release')).then(Object.keys)).not.toContain('public')

  await kit.publish()
  await kit.until('publish ends')
  expect(await readlink(join(home, 'release/public/latest'))).toBe('RE_00000001')

  await kit.cancel()
  await kit.settle()
  expect(await kit.task()).toMatchObject({ cleanup: 'done', ended_from: 'publishing' })
  expect(Object.keys(await readTree(join(home, 'release'))).toSorted()).toEqual([
    '.release-dir.json',
    'public',
    'staging',
    'trash',
  ])
})

test('reads from the Data Service where its address is set', async () => {
  const service = await fakeDataservice({ rows: lines('XX', 7).map((line) => JSON.parse(line) as object) })
  await settings({ DATASERVICE_URL: service.url })
  await using kit = await testTask(task)
  await kit.runTo('staged')
  expect((await kit.task()).summary).toMatchObject({ rows: 21 })
})

test('a chosen source folder without the study fails for good, and says what is expected where', async () => {
  const rows = await temporaryFolder()
  await settings({ SOURCE_DIR: rows })
  await using kit = await testTask(task)
  await kit.initialize()
  await kit.start()
  await kit.settle()
  const message = expect.stringContaining(`the folder ${join(rows, 'SD_00000001')} does not exist`)
  expect(kit.reports.at(-1)).toEqual({ state: 'failed', message, attempt: 1 })
  expect(await kit.task()).toMatchObject({ attempt: 2, cleanup: 'done' })
})

/** A small release: what is public and what is left of the work, by path. */
async function smallRelease() {
  const home = await temporaryFolder()
  await writeStudy(join(home, 'rows'), 'SD_00000001', [1, 2, 2])
  await settings({ SOURCE_DIR: join(home, 'rows') })
  const root = join(home, 'release')
  vi.stubEnv('RELEASE_DIR', root)
  const paths = async () => Object.keys(await readTree(root)).toSorted()
  return { open: () => testTask(task), paths }
}

const COMPLETE = [
  '.release-dir.json',
  'public',
  'public/RE_00000001',
  'public/RE_00000001/SD_00000001',
  'public/RE_00000001/SD_00000001/biospecimens.ndjson',
  'public/RE_00000001/SD_00000001/genomic-files.ndjson',
  'public/RE_00000001/SD_00000001/participants.ndjson',
  'public/RE_00000001/manifest.json',
  'public/RE_00000001/publication.json',
  'public/latest',
  'staging',
  'trash',
]

test('is public as a whole, and leaves nothing else, wherever its process was killed', async () => {
  let release = await smallRelease()
  const open = async () => {
    release = await smallRelease()
    return release.open()
  }
  const killedAt = await killAtEveryMoment(open, async () => expect(await release.paths()).toEqual(COMPLETE))
  expect(killedAt).toEqual(expect.arrayContaining(['progress 3', 'stage ends', 'staged', 'publish ends']))
})

test('a process that has lost its task makes nothing public any more', async () => {
  const release = await smallRelease()
  await using kit = await release.open()
  await kit.runTo('staged')
  await kit.publish()
  await kit.until('progress 1')
  await kit.takeOver()
  await kit.settle()
  expect(await release.paths()).toEqual(COMPLETE)
  expect(kit.reportedStates).toEqual(['staged', 'published'])
})

test.each(['stage begins', 'progress 5', 'stage ends'] as const)(
  'canceled at "%s", nothing is left',
  async (moment) => {
    const release = await smallRelease()
    await using kit = await release.open()
    await kit.initialize()
    await kit.start()
    await kit.until(moment)
    await kit.cancel()
    await kit.settle()
    expect(await kit.task()).toMatchObject({ state: 'canceled', cleanup: 'done' })
    const paths = await release.paths()
    expect(paths.filter((path) => path.includes('RE_'))).toEqual([])
    expect(kit.reportedStates).toEqual([])
  },
)

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
  await runRelease('RE_0000000Z', 'staged')
  for (const id of ['RE_00000001', 'RE_00000002', 'RE_00000003']) await runRelease(id, 'published')
  expect((await readdir(join(root, 'public'))).toSorted()).toEqual(['RE_00000002', 'RE_00000003', 'latest'])
  expect(await readdir(join(root, 'staging'))).toEqual([])
})

async function runRelease(kf_id: string, end: 'staged' | 'published') {
  await using kit = await testTask(task, { release: { kf_id } })
  await kit.runTo(end)
}

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
