import { expect, test } from 'vitest'

import { countRows, PartReader } from './part-reader.ts'
import { readDataservice } from './dataservice.ts'
import { COLLECTIONS, CountMismatch, type RowSource } from './source.ts'
import { fakeDataservice } from './testing/fake-dataservice.ts'
import { allRows, lines } from './testing/source-files.ts'

const STUDIES = ['SD_00000001', 'SD_00000002']

/** Batches of ten rows; `heed` says whether the source looks at the signal. */
function sourceOf(rows: { readonly [study: string]: number }, heed = true): RowSource & { taken: number } {
  const source = {
    taken: 0,
    count: async (study: string) => rows[study] ?? 0,
    async *rows(study: string, _: string, signal: AbortSignal) {
      for (let at = 0; at < (rows[study] ?? 0); at += 10) {
        if (heed) signal.throwIfAborted()
        source.taken++
        yield lines('XX', Math.min(10, (rows[study] ?? 0) - at))
      }
    },
  }
  return source
}

interface Told {
  readonly percent: number
  readonly message: string
}

function taskThat(onProgress: (message: string) => void = () => {}, signal = new AbortController().signal) {
  const told: Told[] = []
  const warnings: string[] = []
  const log = { info: () => {}, warn: (message: string) => void warnings.push(message), error: () => {} }
  const progress = (percent: number, message = '') => {
    told.push({ percent, message })
    onProgress(message)
  }
  return { told, warnings, log, signal, progress }
}

async function readAll(task: ReturnType<typeof taskThat>, source: RowSource): Promise<string[]> {
  const reader = new PartReader(task, source, await countRows(task, STUDIES, source))
  const rows: string[] = []
  for (const part of reader.parts) rows.push(...(await reader.read(part, allRows)))
  return rows
}

test('counts every collection of every study, in order, before a row is read', async () => {
  const source = sourceOf({ SD_00000001: 25, SD_00000002: 7 })
  const parts = await countRows(taskThat(), STUDIES, source)
  expect(parts).toEqual(
    STUDIES.flatMap((study) =>
      COLLECTIONS.map((collection) => ({ study, collection, expected: study === STUDIES[0] ? 25 : 7 })),
    ),
  )
  expect(source.taken).toBe(0)
})

test('tells progress by rows over all parts', async () => {
  const task = taskThat()
  expect(await readAll(task, sourceOf({ SD_00000001: 3000, SD_00000002: 7 }))).toHaveLength(9021)
  const percents = task.told.map(({ percent }) => percent)
  expect(percents).toEqual(percents.toSorted((one, other) => one - other))
  expect(task.told.at(-1)).toEqual({ percent: 100, message: 'SD_00000002 genomic-files: 7 of 7 rows' })
  expect(task.told).toContainEqual({
    percent: 66,
    message: 'SD_00000001 biospecimens: 3,000 of 3,000 rows',
  })
})

test('a source that grew is 100 percent, not more', async () => {
  const source = sourceOf({ SD_00000001: 30, SD_00000002: 30 })
  const task = taskThat()
  await readAll(task, { ...source, count: async () => 10 })
  expect(Math.max(...task.told.map(({ percent }) => percent))).toBe(100)
})

test('progress is told when the batch was used, not when it was read', async () => {
  const task = taskThat()
  const source = sourceOf({ SD_00000001: 25 })
  const [part] = await countRows(task, ['SD_00000001'], source)
  const before = task.told.length
  const seen: number[] = []
  await new PartReader(task, source, part ? [part] : []).read(part!, async (rows) => {
    for await (const _ of rows) seen.push(task.told.length - before)
  })
  expect(seen).toEqual([0, 1, 2])
})

test('a cancel ends the reading before the next batch, whatever the source does with the signal', async () => {
  const cancel = new AbortController()
  const source = sourceOf({ SD_00000001: 1000, SD_00000002: 10 }, false)
  const onProgress = (message: string) => {
    if (message.includes('participants: 50 of')) cancel.abort(new Error('canceled by a person'))
  }
  const task = taskThat(onProgress, cancel.signal)
  await expect(readAll(task, source)).rejects.toThrow('canceled by a person')
  expect(task.told.at(-1)?.message).toBe('SD_00000001 participants: 50 of 1,000 rows')
  expect(source.taken).toBe(6)
})

/** A Data Service that tells a wrong total for its second page, the first times that it is asked for. */
async function miscounting(wrong: number): Promise<RowSource> {
  const rows = lines('PT', 12).map((line) => JSON.parse(line) as object)
  let lastPages = 0
  const total = (nth: number) => (nth > 3 && nth % 2 === 1 && ++lastPages <= wrong ? 15 : 12)
  const service = await fakeDataservice({ rows, total })
  return readDataservice(service.url, { limit: 10 })
}

async function readOne(task: ReturnType<typeof taskThat>, source: RowSource): Promise<string[][]> {
  const parts = await countRows(task, ['SD_00000001'], source)
  const reader = new PartReader(task, source, parts)
  return await Promise.all(parts.slice(0, 1).map((part) => reader.read(part, allRows)))
}

test('rows that are missed once are read once more, from the start', async () => {
  const task = taskThat()
  expect(await readOne(task, await miscounting(1))).toEqual([lines('PT', 12)])
  expect(task.warnings).toEqual([expect.stringMatching(/12 different rows.*counts 15; reading once more/)])
})

test('rows that are missed twice fail the attempt, with both numbers', async () => {
  const reading = readOne(taskThat(), await miscounting(9))
  await expect(reading).rejects.toThrow(CountMismatch)
  await expect(reading).rejects.toThrow('12 different rows came, the Data Service counts 15')
})
