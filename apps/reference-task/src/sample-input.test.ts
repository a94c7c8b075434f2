import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { nodeFileSystem } from './file-system.ts'
import { type Caller, ensureSampleInput } from './sample-input.ts'
import { type SampleStudy } from './sample.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'
import { readTree } from './testing/tree.ts'
import { watchedFileSystem, withoutSync } from './testing/watched-file-system.ts'

const TINY: SampleStudy[] = ['SD_0000000A', 'SD_0000000B'].map((id, at) => ({
  id,
  short: 'TST',
  diagnosis: 'Cancer',
  firstDay: '2024-01-01T00:00:00Z',
  firstId: 1 + at * 1000,
  rows: { participants: 3, biospecimens: 4, 'genomic-files': 600 },
}))

function caller(id: string, attempt = 1, signal = new AbortController().signal): Caller {
  return { id, attempt, signal, progress: () => {} }
}

test('generates once, and then leaves the folder alone', async () => {
  const root = await temporaryFolder()
  const folder = join(root, 'data', 'sample-input')
  const told: string[] = []
  const progress = (_: number, message = '') => void told.push(message)
  await ensureSampleInput(nodeFileSystem, folder, { ...caller('TA_1'), progress }, TINY)
  const rows = (await readTree(folder))['SD_0000000B/genomic-files.ndjson']?.trim().split('\n')
  expect(rows).toHaveLength(600)
  expect(told).toContain('generating the sample input: SD_0000000B genomic-files')

  await writeFile(join(folder, 'mine'), 'x')
  await ensureSampleInput(nodeFileSystem, folder, { ...caller('TA_2'), progress }, TINY)
  expect(await readdir(join(root, 'data'))).toEqual(['sample-input'])
  expect(await readdir(folder)).toEqual(['SD_0000000A', 'SD_0000000B', 'mine'])
  expect(told).toHaveLength(6)
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
  await Promise.all(['TA_1', 'TA_2'].map((id) => ensureSampleInput(fs, folder, caller(id), TINY)))
  expect(await readdir(root)).toEqual(['sample-input'])
  expect(Object.keys(await readTree(folder))).toHaveLength(8)
})

test('a draft that is taken away while it is written does no harm', async () => {
  const root = await temporaryFolder()
  const folder = join(root, 'sample-input')
  let other: Promise<void> | null = null
  const fs = watchedFileSystem(nodeFileSystem, async ({ name, path }) => {
    if (name !== 'open' || !path.includes('SD_0000000B')) return
    await (other ??= ensureSampleInput(nodeFileSystem, folder, caller('TA_2'), TINY))
  })
  await ensureSampleInput(fs, folder, caller('TA_1'), TINY)
  expect(await readdir(root)).toEqual(['sample-input'])
})

test('a cancel ends the generation and leaves no sample input', async () => {
  const root = await temporaryFolder()
  const cancel = new AbortController()
  const fs = watchedFileSystem(nodeFileSystem, ({ name }) => void (name === 'write' && cancel.abort()))
  const work = ensureSampleInput(fs, join(root, 'sample-input'), caller('TA_1', 1, cancel.signal), TINY)
  await expect(work).rejects.toThrow('aborted')
  expect(await readdir(root)).toEqual(['sample-input.TA_1-1.draft'])
})

test('ended before any call of the file system and run again, it gives the same folder', async () => {
  const fast = withoutSync(nodeFileSystem)
  const root = await temporaryFolder()
  await mkdir(join(root, 'undisturbed'))
  let calls = 0
  const counting = watchedFileSystem(fast, () => void calls++)
  await ensureSampleInput(counting, join(root, 'undisturbed', 'sample-input'), caller('TA_1'), TINY)
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
    await ensureSampleInput(crashing, join(home, 'sample-input'), caller('TA_1'), TINY).catch(() => {})
    await ensureSampleInput(fast, join(home, 'sample-input'), caller('TA_1', 2), TINY)
    expect(await readTree(home), `ended before call ${killAt}`).toEqual(expected)
  }
})
