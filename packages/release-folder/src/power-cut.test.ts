import { join } from 'node:path'

import { expect, test } from 'vitest'

import { writeFolderOnce } from './complete-folder.ts'
import { nodeFileSystem } from './file-system.ts'
import { powerCutTests } from './testing/power-cut-tests.ts'
import { PowerCut } from './testing/power-cut.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'
import { watchedFileSystem } from './testing/watched-file-system.ts'

powerCutTests({ phases: new URL('testing/row-phases.ts', import.meta.url), writeSource: async () => {} })

test('a folder that is written once survives a power cut once it is there', async () => {
  const home = await temporaryFolder()
  const cut = new PowerCut(home)
  const task = { id: 'TA_1', attempt: 1, signal: new AbortController().signal }
  const fs = watchedFileSystem(nodeFileSystem, cut.note)
  const content = [{ name: 'one', files: [{ name: 'rows.ndjson', batches: [['1']] }] }]
  await writeFolderOnce(fs, join(home, 'data/rows'), content, task)
  expect(cut.losable).toEqual([])
})
