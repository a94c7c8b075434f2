import { createHash } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { type Manifest, nodeFileSystem, type Workplace } from '@release-task/release-folder'
import { fakeTask, readTree, temporaryFolder, watchedFileSystem } from '@release-task/release-folder/testing'
import {
  COLLECTIONS,
  CountMismatch,
  readDataservice,
  readSourceFolder,
  type RowSource,
} from '@release-task/study-records'
import { fakeDataservice, lines, writeStudy } from '@release-task/study-records/testing'
import { expect, test } from 'vitest'

import { type RecordFile, stageRelease } from './staging.ts'

const MAKER = { name: 'reference-task', version: '1.0.0' }
const STUDIES = ['SD_00000001', 'SD_00000002']

async function workplace(): Promise<Workplace & { readonly source: RowSource; readonly rows: string }> {
  const home = await temporaryFolder()
  const rows = join(home, 'rows')
  await writeStudy(rows, 'SD_00000001', [3, 5, 3000])
  await writeStudy(rows, 'SD_00000002', [2, 0, 7])
  const source = readSourceFolder(nodeFileSystem, rows)
  const now = () => new Date('2024-06-01T12:00:00Z')
  return { fs: nodeFileSystem, root: join(home, 'release'), now, source, rows }
}

async function manifestOf(folder: string): Promise<Manifest<RecordFile>> {
  return JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as Manifest<RecordFile>
}

test('stages every row of every study, and says so in the manifest and the summary', async () => {
  const place = await workplace()
  const result = await stageRelease(place, fakeTask({ studies: STUDIES, attempt: 4 }), place.source, MAKER)
  const folder = join(place.root, 'staging/RE_00000001/4')
  const manifest = await manifestOf(folder)
  expect(result).toEqual({
    summary: { ...manifest.totals, participants: 5, biospecimens: 5, 'genomic-files': 3007 },
    staged: { folder: 'staging/RE_00000001/4' },
  })
  expect(manifest).toMatchObject({
    release: { kf_id: 'RE_00000001', name: 'Spring release', candidate_version: '1.4.0' },
    studies: STUDIES.map((kf_id) => ({ kf_id, name: `Study ${kf_id}` })),
    created_at: '2024-06-01T12:00:00.000Z',
    task: { ...MAKER, id: 'TA_00000001', attempt: 4 },
    totals: { studies: 2, files: 6, rows: 3017 },
  })
  expect(manifest.files.map((file) => file.path)).toEqual(
    STUDIES.flatMap((study) => COLLECTIONS.map((collection) => `${study}/${collection}.ndjson`)),
  )
})

test('checksums, sizes and counts are those of the files, and the files those of the source', async () => {
  const place = await workplace()
  await stageRelease(place, fakeTask({ studies: STUDIES }), place.source, MAKER)
  const folder = join(place.root, 'staging/RE_00000001/1')
  for (const file of (await manifestOf(folder)).files) {
    const bytes = await readFile(join(folder, file.path))
    expect(file.sha256).toBe(createHash('sha256').update(bytes).digest('hex'))
    expect(file.bytes).toBe(bytes.length)
    expect(file.rows).toBe(bytes.toString().split('\n').length - 1)
    expect(bytes.equals(await readFile(join(place.rows, file.path)))).toBe(true)
  }
})

test('tells progress by rows over all files', async () => {
  const place = await workplace()
  const task = fakeTask({ studies: STUDIES })
  await stageRelease(place, task, place.source, MAKER)
  const percents = task.told.map(({ percent }) => percent)
  expect(percents).toEqual(percents.toSorted((one, other) => one - other))
  expect(task.told.at(-1)).toEqual({ percent: 100, message: 'SD_00000002 genomic-files: 7 of 7 rows' })
  expect(task.told.map(({ message }) => message)).toContain('SD_00000001 genomic-files: 3,000 of 3,000 rows')
})

test('a cancel in the middle of a big file ends before the next batch is written', async () => {
  const place = await workplace()
  const cancel = new AbortController()
  let writesAfter = 0
  const fs = watchedFileSystem(nodeFileSystem, ({ name }) => {
    if (name === 'write' && cancel.signal.aborted) writesAfter++
  })
  const onProgress = (message: string) => {
    if (/genomic-files: \d/.test(message)) cancel.abort(new Error('canceled by a person'))
  }
  const task = fakeTask({ studies: STUDIES, signal: cancel.signal, onProgress })
  await expect(stageRelease({ ...place, fs }, task, place.source, MAKER)).rejects.toThrow(
    'canceled by a person',
  )
  expect(writesAfter).toBe(0)
  expect(task.told.at(-1)?.message).toMatch(/^SD_00000001 genomic-files: [12],\d+ of 3,000 rows$/)
})

test('a cancel ends also where the source does not look at the signal', async () => {
  const place = await workplace()
  const cancel = new AbortController()
  let taken = 0
  async function* heedless() {
    while (++taken < 1000) {
      if (taken === 5) cancel.abort()
      yield ['{}']
    }
  }
  const task = fakeTask({ signal: cancel.signal })
  const staging = stageRelease(place, task, { count: async () => 1000, rows: heedless }, MAKER)
  await expect(staging).rejects.toThrow('aborted')
  expect(taken).toBe(5)
})

test('a cancel ends the count, too', async () => {
  const place = await workplace()
  const cancel = new AbortController()
  const task = fakeTask({ studies: STUDIES, signal: cancel.signal, onProgress: () => cancel.abort() })
  await expect(stageRelease(place, task, place.source, MAKER)).rejects.toThrow('aborted')
  expect(task.told).toHaveLength(1)
})

test('other work of the process has its turn between the batches', async () => {
  const place = await workplace()
  const task = fakeTask({ studies: STUDIES })
  let turns = 0
  const timer = setInterval(() => turns++, 0)
  await stageRelease(place, task, place.source, MAKER)
  clearInterval(timer)
  expect(turns).toBeGreaterThan(1)
})

test('no more than one batch is taken from the source before the last one is written', async () => {
  const place = await workplace()
  let [taken, written] = [0, 0]
  const fs = watchedFileSystem(nodeFileSystem, ({ name, path }) => {
    if (name === 'write' && path.endsWith('.ndjson')) written++
    expect(taken - written).toBeLessThanOrEqual(1)
  })
  async function* rows() {
    for (const line of lines('PT', 50)) {
      taken++
      yield [line]
    }
  }
  await stageRelease({ ...place, fs }, fakeTask(), { count: async () => 50, rows }, MAKER)
  expect(taken).toBe(150)
})

/** A Data Service that tells a wrong total for its second page, the first times that it is asked for. */
async function miscounting(wrong: number): Promise<RowSource> {
  const rows = lines('PT', 12).map((line) => JSON.parse(line) as object)
  let lastPages = 0
  const total = (nth: number) => (nth > 3 && nth % 2 === 1 && ++lastPages <= wrong ? 15 : 12)
  const service = await fakeDataservice({ rows, total })
  return readDataservice(service.url, { limit: 10 })
}

test('rows that are missed once are read once more', async () => {
  const place = await workplace()
  const task = fakeTask()
  const result = await stageRelease(place, task, await miscounting(1), MAKER)
  expect(result.summary).toMatchObject({ rows: 36, participants: 12 })
  expect(task.warnings).toEqual([expect.stringMatching(/12 different rows.*counts 15; reading once more/)])
  const written = await readFile(
    join(place.root, 'staging/RE_00000001/1/SD_00000001/participants.ndjson'),
    'utf8',
  )
  expect(written.trim().split('\n')).toHaveLength(12)
})

test('rows that are missed twice fail the attempt, with both numbers', async () => {
  const staging = stageRelease(await workplace(), fakeTask(), await miscounting(9), MAKER)
  await expect(staging).rejects.toThrow(CountMismatch)
  await expect(staging).rejects.toThrow('12 different rows came, the Data Service counts 15')
})

test('a folder that a discard took away while it was written does not come back', async () => {
  const place = await workplace()
  const discard = async ({ name, path }: { name: string; path: string }) => {
    if (name === 'makeFolder' && path.endsWith('SD_00000002'))
      await rm(join(place.root, 'staging/RE_00000001'), { recursive: true })
  }
  const fs = watchedFileSystem(nodeFileSystem, discard)
  const staging = stageRelease({ ...place, fs }, fakeTask({ studies: STUDIES }), place.source, MAKER)
  await expect(staging).rejects.toThrow('ENOENT')
  expect(await readTree(join(place.root, 'staging'))).toEqual({})
})

test('a study that is missing in the source shows before anything is written', async () => {
  const place = await workplace()
  const staging = stageRelease(place, fakeTask({ studies: [...STUDIES, 'SD_00000009'] }), place.source, MAKER)
  await expect(staging).rejects.toThrow(`${join(place.rows, 'SD_00000009')} does not exist`)
  await expect(readTree(place.root)).rejects.toThrow('ENOENT')
})
