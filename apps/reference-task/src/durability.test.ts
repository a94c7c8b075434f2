import { dirname, join } from 'node:path'

import { expect, test } from 'vitest'

import { nodeFileSystem } from './file-system.ts'
import { ensureSampleInput } from './sample-input.ts'
import { runPhase, type Scenario } from './testing/scenario.ts'
import { writeStudy } from './testing/source-files.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'
import { type Call, watchedFileSystem } from './testing/watched-file-system.ts'

/**
 * Keeps what a power cut could take away: files that were written and not synced, and folders whose entries
 * changed and that were not synced. What is on its way out (the trash) may come back, that does no harm.
 */
class PowerCut {
  readonly #losable = new Set<string>()
  readonly #kept: string

  /** @param kept only what is below this folder counts */
  constructor(kept: string) {
    this.#kept = kept
  }

  readonly note = async ({ name, path, to, flags }: Call): Promise<void> => {
    if (name.startsWith('remove') && (await nodeFileSystem.kindOf(path)) === 'none') return
    if (name === 'sync') this.#losable.delete(path)
    if (name === 'write') this.#losable.add(path)
    if (name === 'rename') this.#moved(path, to ?? '')
    if (name === 'open' && flags === 'w') this.#losable.add(path)
    const changesFolder = [
      'link',
      'makeFolder',
      'makeFolders',
      'removeFile',
      'removeFolder',
      'rename',
    ].includes(name)
    if (changesFolder || flags === 'w') this.#losable.add(dirname(path))
  }

  #moved(from: string, to: string): void {
    this.#losable.add(dirname(to))
    for (const path of this.#losable) {
      if (!path.startsWith(`${from}/`)) continue
      this.#losable.delete(path)
      this.#losable.add(to + path.slice(from.length))
    }
  }

  get losable(): string[] {
    return [...this.#losable].filter((path) => path.startsWith(this.#kept) && !path.includes('/trash'))
  }
}

async function scene() {
  const home = await temporaryFolder()
  await writeStudy(join(home, 'rows'), 'SD_00000001', [1, 2, 3])
  const scenario: Scenario = {
    root: join(home, 'release'),
    source: join(home, 'rows'),
    releaseId: 'RE_0000000A',
    studies: ['SD_00000001'],
    now: '2024-06-01T00:00:00Z',
  }
  return { home, scenario, cut: new PowerCut(home) }
}

test('what stage made survives a power cut once it returns', async () => {
  const { scenario, cut } = await scene()
  const fs = watchedFileSystem(nodeFileSystem, cut.note)
  await runPhase(fs, scenario, 'stage', 1, null)
  await runPhase(fs, scenario, 'stage', 2, null)
  expect(cut.losable).toEqual([])
})

test('what is published survives a power cut before the link names it, and the link before publish returns', async () => {
  const { scenario, cut } = await scene()
  const staged = await runPhase(nodeFileSystem, scenario, 'stage', 1, null)
  let atSwitch: string[] | null = null
  const fs = watchedFileSystem(nodeFileSystem, async (call) => {
    if (call.name === 'link') atSwitch = cut.losable
    await cut.note(call)
  })
  await runPhase(fs, scenario, 'publish', 2, staged)
  expect(atSwitch).toEqual([])
  expect(cut.losable).toEqual([])
})

test('what was discarded does not come back after a power cut', async () => {
  const { scenario, cut } = await scene()
  const staged = await runPhase(nodeFileSystem, scenario, 'stage', 1, null)
  await runPhase(nodeFileSystem, scenario, 'publish', 2, staged)
  await runPhase(nodeFileSystem, scenario, 'stage', 3, null)
  await runPhase(watchedFileSystem(nodeFileSystem, cut.note), scenario, 'discard publishing', 4, staged)
  expect(cut.losable).toEqual([])
})

test('the sample input survives a power cut once it is there', async () => {
  const { home, cut } = await scene()
  const rows = { participants: 1, biospecimens: 1, 'genomic-files': 1 }
  const study = {
    id: 'SD_0000000A',
    short: 'TST',
    diagnosis: 'Cancer',
    firstDay: '2024-01-01',
    firstId: 1,
    rows,
  }
  const task = { id: 'TA_1', attempt: 1, signal: new AbortController().signal, progress: () => {} }
  const fs = watchedFileSystem(nodeFileSystem, cut.note)
  await ensureSampleInput(fs, join(home, 'data/sample-input'), task, [study])
  expect(cut.losable).toEqual([])
})
