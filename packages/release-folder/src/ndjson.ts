import { withFile } from './durable.ts'
import { FactCount, type FileFacts } from './facts.ts'
import type { FileSystem } from './file-system.ts'

export type Batches = AsyncIterable<readonly string[]> | Iterable<readonly string[]>

/**
 * Writes one row a line, synced to disk. The next batch is asked for only when the last one is written, so
 * no more than one is in memory; each write also lets other work of the process have its turn.
 */
export async function writeRows(fs: FileSystem, path: string, batches: Batches): Promise<FileFacts> {
  const count = new FactCount()
  let rows = 0
  await withFile(fs, path, 'w', async (file) => {
    for await (const batch of batches) {
      if (batch.length === 0) continue
      const text = Buffer.from(batch.join('\n') + '\n')
      await file.write(text)
      count.add(text)
      rows += batch.length
    }
    await file.sync()
  })
  return { ...count.facts(), rows } // the source's own count: the line breaks are compared with it at publish
}
