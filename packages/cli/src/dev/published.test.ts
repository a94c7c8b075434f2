import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { checkPublished } from './published.ts'

let data: string
let folder: string

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'published-'))
  const all = join(data, 'a-task', 'release', 'public')
  folder = join(all, 'RE_00000001')
  mkdirSync(folder, { recursive: true })
  symlinkSync('RE_00000001', join(all, 'latest'))
  const sha256 = createHash('sha256').update('one\ntwo\n').digest('hex')
  writeFileSync(join(folder, 'rows.ndjson'), 'one\ntwo\n')
  const files = [{ path: 'rows.ndjson', rows: 2, bytes: 8, sha256 }]
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ files }))
})
afterEach(() => rmSync(data, { recursive: true }))

test('counts, and checksums that are really computed', async () => {
  expect((await checkPublished(data, 'a-task'))?.words).toBe('1 files, 2 rows, 8 bytes, checksums verified')
  writeFileSync(join(folder, 'rows.ndjson'), 'one\ntwO\n')
  expect((await checkPublished(data, 'a-task'))?.words).toContain('CHECKSUMS WRONG: rows.ndjson')
  rmSync(join(folder, 'rows.ndjson'))
  expect((await checkPublished(data, 'a-task'))?.words).toContain('CHECKSUMS WRONG: rows.ndjson')
})

test('a task without a public folder is nothing to show', async () => {
  expect(await checkPublished(data, 'another-task')).toBeNull()
})
