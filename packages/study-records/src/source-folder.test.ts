import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { expect, test } from 'vitest'

import { readSourceFolder, sourceFile } from './source-folder.ts'
import { SourceProblem } from './source-problem.ts'
import { allRows, lines, writeStudy } from './testing/source-files.ts'
import { inputFiles, temporaryFolder } from './testing/temporary-folder.ts'

const { signal } = new AbortController()

async function sourceOf(content: string | Uint8Array) {
  const folder = await temporaryFolder()
  const path = sourceFile(folder, 'SD_00000001', 'participants')
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, content)
  const source = readSourceFolder(inputFiles, folder)
  return {
    count: () => source.count('SD_00000001', 'participants', signal),
    read: () => allRows(source.rows('SD_00000001', 'participants', signal)),
  }
}

test('passes lines on unchanged, whatever ends them', async () => {
  const source = await sourceOf('{"kf_id":"PT_1","big":12345678901234567890}\r\n\n  \n{ "kf_id": "PT_2" }')
  expect(await source.read()).toEqual(['{"kf_id":"PT_1","big":12345678901234567890}', '{ "kf_id": "PT_2" }'])
  expect(await source.count()).toBe(2)
})

test('an empty file has no rows', async () => {
  const source = await sourceOf('')
  expect(await source.read()).toEqual([])
  expect(await source.count()).toBe(0)
})

test('lines and letters that lie across the edge of a read stay whole', async () => {
  const rows = lines('PT', 5000) // several reads; letters of two bytes in each row
  const long = JSON.stringify({ kf_id: 'PT_LONG', text: 'ä'.repeat(200_000) })
  const source = await sourceOf([long, ...rows].join('\n'))
  expect(await source.read()).toEqual([long, ...rows])
  expect(await source.count()).toBe(5001)
})

test.each(['{"kf_id":', '[]', 'null', '{"id":"PT_1"}', '{"kf_id":7}'])(
  'refuses the row %s by its number',
  async (row) => {
    const source = await sourceOf(`{"kf_id":"PT_1"}\n${row}\n`)
    await expect(source.read()).rejects.toThrow(
      /participants.ndjson: row 2 is not a JSON object with a "kf_id"/,
    )
  },
)

test('refuses text that is not UTF-8, rather than to change it', async () => {
  const source = await sourceOf(Buffer.from('{"kf_id":"PT_1","name":"M\xfcller"}\n', 'latin1'))
  await expect(source.read()).rejects.toThrow(/participants.ndjson is not UTF-8/)
})

test('a missing study is named with its folder and what was expected; trying again is no use', async () => {
  const folder = await temporaryFolder()
  const missing = readSourceFolder(inputFiles, folder).count('SD_00000001', 'participants', signal)
  await expect(missing).rejects.toThrow(SourceProblem)
  await expect(missing).rejects.toThrow(`the folder ${join(folder, 'SD_00000001')} does not exist`)
  await expect(missing).rejects.toThrow('participants.ndjson, biospecimens.ndjson, genomic-files.ndjson')
})

test('a missing file is named', async () => {
  const folder = await temporaryFolder()
  await writeStudy(folder, 'SD_00000001', [1, 1, 1])
  const source = readSourceFolder(inputFiles, folder)
  await mkdir(join(folder, 'SD_00000002'))
  const missing = source.count('SD_00000002', 'biospecimens', signal)
  await expect(missing).rejects.toThrow(join(folder, 'SD_00000002', 'biospecimens.ndjson'))
})
