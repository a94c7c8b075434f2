import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { nodeFileSystem } from '../file-system.ts'
import { pointLatestAtNewest } from '../latest.ts'
import { layoutOf, PUBLICATION } from '../layout.ts'

/** As if it had been published on that day: a publication of its own is never older than those before it. */
export async function backdate(root: string, releaseId: string, day: string): Promise<void> {
  const layout = layoutOf(root, releaseId)
  const path = join(layout.published, PUBLICATION)
  const publication = JSON.parse(await readFile(path, 'utf8')) as object
  const text = JSON.stringify({ ...publication, published_at: new Date(day).toISOString() }, null, 2)
  await writeFile(path, text + '\n')
  await pointLatestAtNewest(nodeFileSystem, layout)
}
