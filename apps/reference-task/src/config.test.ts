import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'

import { expect, test } from 'vitest'

import { readSettings, SETTINGS } from './config.ts'

test('without settings everything is below .data, and the sample input may be generated', () => {
  expect(readSettings({ RELEASE_DIR: '', SOURCE_DIR: '' })).toEqual({
    releaseDir: resolve('.data/reference-task/release'),
    retention: { keepPublished: null, keepLeftovers: 30 * 24 * 60 * 60 * 1000 },
    source: { sourceDir: resolve('.data/sample-input'), sampleInput: true, dataserviceUrl: null },
  })
})

test('a chosen source folder is never filled with the sample', () => {
  const env = {
    RELEASE_DIR: '/srv/releases',
    KEEP_PUBLISHED: '5',
    KEEP_LEFTOVERS: '0',
    SOURCE_DIR: '/srv/rows',
    DATASERVICE_URL: 'http://data.example/api/',
  }
  expect(readSettings(env)).toEqual({
    releaseDir: '/srv/releases',
    retention: { keepPublished: 5, keepLeftovers: 0 },
    source: { sourceDir: '/srv/rows', sampleInput: false, dataserviceUrl: 'http://data.example/api' },
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
