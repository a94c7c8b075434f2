import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { type Caller, type RowFolder, writeFolderOnce } from './complete-folder.ts'
import { nodeFileSystem } from './file-system.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'
import { readTree } from './testing/tree.ts'
import { watchedFileSystem, withoutSync } from './testing/watched-file-system.ts'

const BATCH = Array.from({ length: 500 }, (_, row) => String(row))

/** Two folders of three files; as often as it is asked for. */
const CONTENT: RowFolder[] = ['SD_0000000A', 'SD_0000000B'].map((name) => ({
  name,
  files: [
    { name: 'participants.ndjson', batches: [['1', '2', '3']] },
    { name: 'biospecimens.ndjson', batches: [['1', '2', '3', '4']] },
    { name: 'genomic-files.ndjson', batches: [BATCH, BATCH.slice(0, 100)] },
  ],
}))

function caller(id: string, attempt = 1, signal = new AbortController().signal): Caller {
  return { id, attempt, signal }
}

test('writes once, and then leaves the folder alone', async () => {
  const root = await temporaryFolder()
  const folder = join(root, 'data', 'sample-input')
  await writeFolderOnce(nodeFileSystem, folder, CONTENT, caller('TA_1'))
  const rows = (await readTree(folder))['SD_0000000B/genomic-files.ndjson']?.trim().split('\n')
  expect(rows).toHaveLength(600)

  await writeFile(join(folder, 'mine'), 'x')
  let askedFor = false
  function* content(): Generator<RowFolder> {
    askedFor = true
    yield* CONTENT
  }
  await writeFolderOnce(nodeFileSystem, folder, content(), caller('TA_2'))
  expect(askedFor).toBe(false)
  expect(await readdir(join(root, 'data'))).toEqual(['sample-input'])
  expect(await readdir(folder)).toEqual(['SD_0000000A', 'SD_0000000B', 'mine'])
})

test('two at once: one wins, both go on', async () => {
  const root = await temporaryFolder()
  const folder = join(root, 'sample-input')
  // Both are held at their rename until both are there.
  let waiting = 0
  const bothThere = Promise.withResolvers<void>()
  const fs = watchedFileSystem(nodeFileSystem, async ({ name }) => {
    if (name !== 'rename') return
    if (++waiting === 2) bothThere.resolve()
    await bothThere.promise
  })
  await Promise.all(['TA_1', 'TA_2'].map((id) => writeFolderOnce(fs, folder, CONTENT, caller(id))))
  expect(await readdir(root)).toEqual(['sample-input'])
  expect(Object.keys(await readTree(folder))).toHaveLength(8)
})

test('a draft that is taken away while it is written does no harm', async () => {
  const root = await temporaryFolder()
  const folder = join(root, 'sample-input')
  let other: Promise<void> | null = null
  const fs = watchedFileSystem(nodeFileSystem, async ({ name, path }) => {
    if (name !== 'open' || !path.includes('SD_0000000B')) return
    await (other ??= writeFolderOnce(nodeFileSystem, folder, CONTENT, caller('TA_2')))
  })
  await writeFolderOnce(fs, folder, CONTENT, caller('TA_1'))
  expect(await readdir(root)).toEqual(['sample-input'])
})

test('a cancel ends the writing and leaves no folder', async () => {
  const root = await temporaryFolder()
  const cancel = new AbortController()
  const fs = watchedFileSystem(nodeFileSystem, ({ name }) => void (name === 'write' && cancel.abort()))
  const work = writeFolderOnce(fs, join(root, 'sample-input'), CONTENT, caller('TA_1', 1, cancel.signal))
  await expect(work).rejects.toThrow('aborted')
  expect(await readdir(root)).toEqual(['sample-input.TA_1-1.draft'])
})

test('ended before any call of the file system and run again, it gives the same folder', async () => {
  const fast = withoutSync(nodeFileSystem)
  const root = await temporaryFolder()
  await mkdir(join(root, 'undisturbed'))
  let calls = 0
  const counting = watchedFileSystem(fast, () => void calls++)
  await writeFolderOnce(counting, join(root, 'undisturbed', 'sample-input'), CONTENT, caller('TA_1'))
  const expected = await readTree(join(root, 'undisturbed'))
  expect(calls).toBeGreaterThan(40)
  for (let killAt = 1; killAt <= calls; killAt++) {
    const home = join(root, String(killAt))
    await mkdir(home)
    let call = 0
    const crashing = watchedFileSystem(fast, () => {
      if (++call >= killAt) throw new Error('the process has ended')
    })
    // The drafts' removal swallows errors: there a run may end without one.
    await writeFolderOnce(crashing, join(home, 'sample-input'), CONTENT, caller('TA_1')).catch(() => {})
    await writeFolderOnce(fast, join(home, 'sample-input'), CONTENT, caller('TA_1', 2))
    expect(await readTree(home), `ended before call ${killAt}`).toEqual(expected)
  }
})
