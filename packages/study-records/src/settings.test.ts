import { resolve } from 'node:path'

import { expect, test } from 'vitest'

import { readSourceSettings, SOURCE_SETTINGS } from './settings.ts'
import { SourceProblem } from './source-problem.ts'

test('without settings it is the sample input, and it may be generated', () => {
  expect(readSourceSettings({ SOURCE_DIR: '', DATASERVICE_URL: '' })).toEqual({
    sourceDir: resolve('.data/sample-input'),
    sampleInput: true,
    dataserviceUrl: null,
  })
})

test('a chosen source folder is never filled with the sample', () => {
  const env = { SOURCE_DIR: '/srv/rows', DATASERVICE_URL: 'http://data.example/api/' }
  expect(readSourceSettings(env)).toEqual({
    sourceDir: '/srv/rows',
    sampleInput: false,
    dataserviceUrl: 'http://data.example/api',
  })
})

test.each(['data.example', 'ftp://data.example', 'https://me:secret@data.example'])(
  'refuses the address %s without repeating it',
  (DATASERVICE_URL) => {
    expect(() => readSourceSettings({ DATASERVICE_URL })).toThrow(SourceProblem)
    expect(() => readSourceSettings({ DATASERVICE_URL })).not.toThrow(DATASERVICE_URL)
  },
)

test('the documented settings are the ones that are read', () => {
  const read = new Set<string>()
  readSourceSettings(new Proxy({}, { get: (_, name) => void read.add(String(name)) }))
  expect([...read].toSorted()).toEqual(SOURCE_SETTINGS.map((setting) => setting.name).toSorted())
})
