import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'

import { expect, test } from 'vitest'

import { readSettings, SETTINGS } from './config.ts'

test('without settings everything is below .data, and the sample input may be generated', () => {
  expect(readSettings({ RELEASE_DIR: '', SOURCE_DIR: '' })).toEqual({
    releaseDir: resolve('.data/report-task/release'),
    retention: { keepPublished: null, keepLeftovers: 30 * 24 * 60 * 60 * 1000 },
    source: { sourceDir: resolve('.data/sample-input'), sampleInput: true, dataserviceUrl: null },
  })
})

test('what is chosen is taken', () => {
  const env = { RELEASE_DIR: '/srv/reports', SOURCE_DIR: '/srv/rows' }
  expect(readSettings(env)).toMatchObject({
    releaseDir: '/srv/reports',
    source: { sourceDir: '/srv/rows', sampleInput: false },
  })
})

test('the documented settings are the ones that are read', () => {
  const read = new Set<string>()
  readSettings(new Proxy({}, { get: (_, name) => void read.add(String(name)) }))
  expect([...read].toSorted()).toEqual(SETTINGS.map((setting) => setting.name).toSorted())
})

test('the README tells of each setting what the table says', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  const rows = readme.replaceAll('`', '').split('\n')
  for (const { name, default: text, about } of SETTINGS)
    expect(rows).toContain(`| ${name} | ${text} | ${about} |`)
})
