import { join } from 'node:path'

import { expect, test } from 'vitest'

import { chooseSource } from './choose-source.ts'
import type { WriteFolderOnce } from './sample-input.ts'
import { fakeDataservice } from './testing/fake-dataservice.ts'
import { lines, writeStudy } from './testing/source-files.ts'
import { inputFiles, temporaryFolder } from './testing/temporary-folder.ts'

const { signal } = new AbortController()

/** Writes nothing, and keeps what it was asked to write, with the number of rows of each file. */
function recorder() {
  const told: string[] = []
  const written: { [path: string]: number } = {}
  const task = { id: 'TA_1', attempt: 1, signal, progress: (_: number, text = '') => void told.push(text) }
  const writeOnce: WriteFolderOnce<unknown> = async (_, folder, content) => {
    for (const { name, files } of content) {
      for (const file of files)
        written[join(folder, name, file.name)] = [...file.batches].reduce((sum, rows) => sum + rows.length, 0)
    }
  }
  return { told, written, task, writeOnce }
}

test('nothing chosen: the sample input is written, and told file by file', async () => {
  const sourceDir = await temporaryFolder()
  const { told, written, task, writeOnce } = recorder()
  await chooseSource(inputFiles, { sourceDir, sampleInput: true, dataserviceUrl: null }, task, writeOnce)
  expect(Object.keys(written)).toHaveLength(9)
  expect(written[join(sourceDir, 'SD_BHJXBDQK', 'genomic-files.ndjson')]).toBe(35_000)
  expect(Object.values(written).reduce((sum, rows) => sum + rows, 0)).toBe(100_000)
  expect(told).toHaveLength(9)
  expect(told).toContain('generating the sample input: SD_DYPMEHHF genomic-files')
})

test('a chosen folder is read, and nothing is written', async () => {
  const sourceDir = await temporaryFolder()
  await writeStudy(sourceDir, 'SD_00000001', [3, 0, 0])
  const { written, task, writeOnce } = recorder()
  const settings = { sourceDir, sampleInput: false, dataserviceUrl: null }
  const source = await chooseSource(inputFiles, settings, task, writeOnce)
  expect(await source.count('SD_00000001', 'participants', signal)).toBe(3)
  expect(written).toEqual({})
})

test('a Data Service goes before a folder', async () => {
  const rows = lines('PT', 7).map((line) => JSON.parse(line) as object)
  const { url } = await fakeDataservice({ rows })
  const { written, task, writeOnce } = recorder()
  const settings = { sourceDir: '/nowhere', sampleInput: true, dataserviceUrl: url }
  const source = await chooseSource(inputFiles, settings, task, writeOnce)
  expect(await source.count('SD_00000001', 'participants', signal)).toBe(7)
  expect(written).toEqual({})
})
