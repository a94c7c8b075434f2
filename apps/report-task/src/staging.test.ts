import { createHash } from 'node:crypto'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { type Manifest, nodeFileSystem, publishRelease, type Workplace } from '@release-task/release-folder'
import { fakeTask, readTree, temporaryFolder, watchedFileSystem } from '@release-task/release-folder/testing'
import { CountMismatch, readSourceFolder, type RowSource } from '@release-task/study-records'
import { writeStudy } from '@release-task/study-records/testing'
import { expect, test } from 'vitest'

import type { Report } from './report.ts'
import { stageReport } from './staging.ts'

const MAKER = { name: 'report-task', version: '1.0.0' }
const STUDIES = ['SD_00000001', 'SD_00000002']

interface Bench extends Workplace {
  readonly rows: string
}

async function workplace(): Promise<Bench> {
  const home = await temporaryFolder()
  const now = () => new Date('2024-06-01T12:00:00Z')
  return { fs: nodeFileSystem, root: join(home, 'release'), now, rows: join(home, 'rows') }
}

/** Rows by study and collection, ten a batch; keeps how many batches were taken. */
function sourceOf(rows: (study: string, collection: string) => readonly object[]) {
  const source = {
    taken: 0,
    count: async (study: string, collection: string) => rows(study, collection).length,
    async *rows(study: string, collection: string) {
      const all = rows(study, collection).map((row) => JSON.stringify(row))
      for (let at = 0; at < all.length; at += 10) {
        source.taken++
        yield all.slice(at, at + 10)
      }
    },
  }
  return source satisfies RowSource
}

function times(count: number, row: object): object[] {
  return Array.from({ length: count }, (_, at) => ({ kf_id: `XX_${at}`, ...row }))
}

/** Two studies that differ in every count. */
const TWO = sourceOf((study, collection) => {
  const first = study === 'SD_00000001'
  if (collection === 'participants')
    return [...times(first ? 25 : 4, { gender: 'Female', race: first ? 'Asian' : null }), ...times(3, {})]
  if (collection === 'biospecimens') return times(first ? 7 : 0, { composition: 'Saliva' })
  return [
    ...times(first ? 30 : 2, { data_type: 'gVCF', size: 1000 }),
    ...times(1, { data_type: 'gVCF', size: null }),
  ]
})

async function stagedReport(place: Workplace, attempt = 1): Promise<Report> {
  const path = join(place.root, `staging/RE_00000001/${attempt}/report.json`)
  return JSON.parse(await readFile(path, 'utf8')) as Report
}

test('counts every row, per study and in total', async () => {
  const place = await workplace()
  const result = await stageReport(place, fakeTask({ studies: STUDIES, attempt: 4 }), TWO, MAKER)
  expect(result).toEqual({
    summary: {
      studies: 2,
      participants: 35,
      biospecimens: 7,
      genomic_files: 34,
      genomic_file_bytes: 32_000,
      page: 'staging/RE_00000001/4/index.html',
    },
    staged: { folder: 'staging/RE_00000001/4' },
  })
  const report = await stagedReport(place, 4)
  expect(report).toMatchObject({
    release: { kf_id: 'RE_00000001', name: 'Spring release', candidate_version: '1.4.0' },
    created_at: '2024-06-01T12:00:00.000Z',
    studies: STUDIES.map((kf_id) => ({ kf_id, name: `Study ${kf_id}` })),
  })
  const notReported = (rows: number) => ({ value: 'not reported', rows })
  expect(report.total.participants.by['gender']).toEqual([{ value: 'Female', rows: 29 }, notReported(6)])
  expect(report.total.participants.by['race']).toEqual([{ value: 'Asian', rows: 25 }, notReported(10)])
  expect(report.studies[1]?.participants).toEqual({
    rows: 7,
    by: {
      gender: [{ value: 'Female', rows: 4 }, notReported(3)],
      race: [notReported(7)],
      ethnicity: [notReported(7)],
      diagnosis_category: [notReported(7)],
    },
  })
  expect(report.studies[1]?.biospecimens).toEqual({ rows: 0, by: { composition: [], tissue_type: [] } })
  expect(report.studies[0]?.genomic_files).toEqual({
    rows: 31,
    bytes: 30_000,
    rows_without_size: 1,
    by: { data_type: [{ value: 'gVCF', rows: 31, bytes: 30_000 }] },
  })
})

test('the totals are the sums of the studies', async () => {
  const place = await workplace()
  await stageReport(place, fakeTask({ studies: STUDIES }), TWO, MAKER)
  const { total, studies } = await stagedReport(place)
  for (const collection of ['participants', 'biospecimens', 'genomic_files'] as const) {
    for (const [field, values] of Object.entries(total[collection].by)) {
      for (const { value, rows } of values) {
        const each = studies.map((study) => study[collection].by[field]?.find((one) => one.value === value))
        expect(each.reduce((sum, one) => sum + (one?.rows ?? 0), 0)).toBe(rows)
      }
      expect(values.reduce((sum, { rows }) => sum + rows, 0)).toBe(total[collection].rows)
    }
  }
})

test('the same rows give the same bytes', async () => {
  const place = await workplace()
  const trees = []
  for (const attempt of [1, 2]) {
    await stageReport(place, fakeTask({ studies: STUDIES, attempt }), TWO, MAKER)
    trees.push(await readTree(join(place.root, `staging/RE_00000001/${attempt}`)))
  }
  expect(trees[1]).toEqual(trees[0])
})

test('the manifest tells of both files what they are', async () => {
  const place = await workplace()
  await stageReport(place, fakeTask({ studies: STUDIES }), TWO, MAKER)
  const folder = join(place.root, 'staging/RE_00000001/1')
  expect(await readdir(folder)).toEqual(['index.html', 'manifest.json', 'report.json'])
  const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as Manifest
  expect(manifest.files.map((file) => file.path)).toEqual(['report.json', 'index.html'])
  expect(manifest.task).toEqual({ ...MAKER, id: 'TA_00000001', attempt: 1 })
  for (const file of manifest.files) {
    const bytes = await readFile(join(folder, file.path))
    expect(file.sha256).toBe(createHash('sha256').update(bytes).digest('hex'))
    expect(file.bytes).toBe(bytes.length)
    expect(file.rows).toBe(bytes.toString().split('\n').length - 1)
  }
})

test('what is staged can be published', async () => {
  const place = await workplace()
  const { staged } = await stageReport(place, fakeTask({ studies: STUDIES }), TWO, MAKER)
  await publishRelease(place, fakeTask({ attempt: 2, staged: staged ?? null }))
  expect(await readdir(join(place.root, 'public/latest'))).toEqual([
    'index.html',
    'manifest.json',
    'publication.json',
    'report.json',
  ])
})

test('a study name from outside is escaped in the page, and kept in the JSON', async () => {
  const place = await workplace()
  const task = fakeTask()
  const name = '<script>alert("1")</script>'
  const study = async (kf_id: string) => ({ kf_id, name, visible: true, created_at: null })
  await stageReport(place, { ...task, coordinator: { ...task.coordinator, study } }, TWO, MAKER)
  const text = await readFile(join(place.root, 'staging/RE_00000001/1/index.html'), 'utf8')
  expect(text).not.toContain('<script')
  expect(text).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;')
  expect((await stagedReport(place)).studies[0]?.name).toBe(name)
})

test('tells progress by rows, in percent and in words', async () => {
  const place = await workplace()
  const task = fakeTask({ studies: STUDIES })
  await stageReport(place, task, TWO, MAKER)
  const percents = task.told.map(({ percent }) => percent)
  expect(percents).toEqual(percents.toSorted((one, other) => one - other))
  expect(task.told).toContainEqual({ percent: 26, message: 'SD_00000001 participants: 20 of 28 rows' })
  expect(task.told.at(-1)).toEqual({ percent: 100, message: 'SD_00000002 genomic-files: 3 of 3 rows' })
})

test('a batch is counted before the next one is taken', async () => {
  const place = await workplace()
  const source = sourceOf((_, collection) => times(collection === 'participants' ? 100 : 0, {}))
  const told: number[] = []
  const onProgress = (message: string) => {
    if (message.includes('of 100 rows')) told.push(source.taken)
  }
  await stageReport(place, fakeTask({ onProgress }), source, MAKER)
  expect(told).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
})

test('a cancel ends before the next batch is counted, and leaves no report', async () => {
  const place = await workplace()
  const cancel = new AbortController()
  const source = sourceOf(() => times(1000, {}))
  const onProgress = (message: string) => {
    if (message.includes('participants: 50 of')) cancel.abort(new Error('canceled by a person'))
  }
  const task = fakeTask({ studies: STUDIES, signal: cancel.signal, onProgress })
  await expect(stageReport(place, task, source, MAKER)).rejects.toThrow('canceled by a person')
  expect(source.taken).toBe(6)
  expect(task.told.at(-1)?.message).toBe('SD_00000001 participants: 50 of 1,000 rows')
  expect(await readTree(place.root)).toEqual({
    staging: 'folder',
    'staging/RE_00000001': 'folder',
    'staging/RE_00000001/N': 'folder',
  })
})

test('other work of the process has its turn between the batches of a file', async () => {
  const place = await workplace()
  await writeStudy(place.rows, 'SD_00000001', [3, 5, 9000])
  const source = readSourceFolder(nodeFileSystem, place.rows)
  const cancel = new AbortController()
  const onProgress = (message: string) => {
    if (/genomic-files: \d/.test(message)) setImmediate(() => cancel.abort(new Error('it had its turn')))
  }
  const task = fakeTask({ signal: cancel.signal, onProgress })
  await expect(stageReport(place, task, source, MAKER)).rejects.toThrow('it had its turn')
})

test('rows that the source missed once are read once more, and counted once', async () => {
  const place = await workplace()
  const whole = sourceOf((_, collection) => times(collection === 'participants' ? 25 : 0, {}))
  let failed = false
  const source: RowSource = {
    ...whole,
    async *rows(study, collection) {
      yield* whole.rows(study, collection)
      if (failed || collection !== 'participants') return
      failed = true
      throw new CountMismatch('24 came, 25 are counted')
    },
  }
  const task = fakeTask()
  const { summary } = await stageReport(place, task, source, MAKER)
  expect(summary).toMatchObject({ participants: 25 })
  expect(task.warnings).toEqual(['24 came, 25 are counted; reading once more'])
  expect((await stagedReport(place)).total.participants.by['gender']).toEqual([
    { value: 'not reported', rows: 25 },
  ])
})

test('a study that is missing in the source shows before anything is written', async () => {
  const place = await workplace()
  await writeStudy(place.rows, 'SD_00000001', [1, 1, 1])
  const source = readSourceFolder(nodeFileSystem, place.rows)
  const staging = stageReport(place, fakeTask({ studies: STUDIES }), source, MAKER)
  await expect(staging).rejects.toThrow(`${join(place.rows, 'SD_00000002')} does not exist`)
  await expect(readTree(place.root)).rejects.toThrow('ENOENT')
})

test('a folder that a discard took away while rows were counted does not come back', async () => {
  const place = await workplace()
  await writeStudy(place.rows, 'SD_00000001', [1, 1, 1])
  const fs = watchedFileSystem(nodeFileSystem, async ({ name, path, flags }) => {
    if (name === 'open' && flags === 'w' && path.endsWith('report.json'))
      await rm(join(place.root, 'staging/RE_00000001'), { recursive: true })
  })
  const source = readSourceFolder(fs, place.rows)
  await expect(stageReport({ ...place, fs }, fakeTask(), source, MAKER)).rejects.toThrow('ENOENT')
  expect(await readTree(join(place.root, 'staging'))).toEqual({})
})

test('a release without studies is an empty report', async () => {
  const place = await workplace()
  const { summary } = await stageReport(place, fakeTask({ studies: [] }), TWO, MAKER)
  expect(summary).toMatchObject({ studies: 0, participants: 0, genomic_file_bytes: 0 })
})
