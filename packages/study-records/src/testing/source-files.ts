import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

import { sourceFile } from '../source-folder.ts'
import { COLLECTIONS } from '../source.ts'

const PREFIX = { participants: 'PT', biospecimens: 'BS', 'genomic-files': 'GF' } as const

/** Rows of a collection as lines, small and different from each other. */
export function lines(prefix: string, rows: number): string[] {
  return Array.from({ length: rows }, (_, index) => {
    const kf_id = `${prefix}_${String(index).padStart(8, '0')}`
    return JSON.stringify({ kf_id, note: 'größer als Ä', visible: true })
  })
}

/** Writes the three files of a study; `rows` are the numbers of participants, biospecimens and genomic files. */
export async function writeStudy(folder: string, study: string, rows: readonly [number, number, number]) {
  for (const [at, collection] of COLLECTIONS.entries()) {
    const path = sourceFile(folder, study, collection)
    await mkdir(dirname(path), { recursive: true })
    const text = lines(PREFIX[collection], rows[at] ?? 0).map((line) => `${line}\n`)
    await writeFile(path, text.join(''))
  }
}

/** All rows of a source, in one list: for small ones. */
export async function allRows(batches: AsyncIterable<readonly string[]>): Promise<string[]> {
  const rows: string[] = []
  for await (const batch of batches) rows.push(...batch)
  return rows
}
