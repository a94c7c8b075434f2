import { expect, test } from 'vitest'

import { Tally } from './tally.ts'

function tallyOf(collection: 'participants' | 'biospecimens' | 'genomic-files', rows: readonly object[]) {
  const tally = new Tally(collection)
  for (const row of rows) tally.addRow(JSON.stringify(row))
  return tally
}

/** Counts of one field as `value: rows`, in their order. */
function shown(tally: Tally, field: string): string[] {
  return (tally.by()[field] ?? []).map(({ value, rows }) => `${value}: ${rows}`)
}

test('counts each field of a participant by itself', () => {
  const tally = tallyOf('participants', [
    { gender: 'Female', race: 'Asian', ethnicity: 'Hispanic or Latino', diagnosis_category: 'Cancer' },
    { gender: 'Female', race: 'White', ethnicity: 'Hispanic or Latino', diagnosis_category: null },
    { gender: 'Male', race: 'White', ethnicity: null, diagnosis_category: 'Cancer' },
  ])
  expect(tally.rows).toBe(3)
  expect(Object.keys(tally.by())).toEqual(['gender', 'race', 'ethnicity', 'diagnosis_category'])
  expect(shown(tally, 'gender')).toEqual(['Female: 2', 'Male: 1'])
  expect(shown(tally, 'race')).toEqual(['White: 2', 'Asian: 1'])
  expect(shown(tally, 'ethnicity')).toEqual(['Hispanic or Latino: 2', 'not reported: 1'])
  expect(shown(tally, 'diagnosis_category')).toEqual(['Cancer: 2', 'not reported: 1'])
})

test('biospecimens are counted by composition and by tissue type', () => {
  const tally = tallyOf('biospecimens', [
    { composition: 'Saliva', source_text_tissue_type: 'Normal' },
    { composition: null, source_text_tissue_type: 'Normal' },
  ])
  expect(shown(tally, 'composition')).toEqual(['Saliva: 1', 'not reported: 1'])
  expect(shown(tally, 'tissue_type')).toEqual(['Normal: 2'])
})

test('null, nothing, blanks and the words themselves are not reported', () => {
  const genders = [null, undefined, '', '  ', 'Not Reported', 'not reported', ' Male ', 'Male', 'None']
  const tally = tallyOf(
    'participants',
    genders.map((gender) => ({ gender })),
  )
  expect(shown(tally, 'gender')).toEqual(['Male: 2', 'None: 1', 'not reported: 6'])
})

test('what is no text is counted as its JSON', () => {
  const rows = [{ gender: 0 }, { gender: false }, { gender: ['Male'] }, { gender: { a: 1 } }]
  expect(shown(tallyOf('participants', rows), 'gender')).toEqual([
    '0: 1',
    '["Male"]: 1',
    'false: 1',
    '{"a":1}: 1',
  ])
})

test('names that every object has are values like others', () => {
  const rows = ['__proto__', 'constructor', '__proto__'].map((gender) => ({ gender }))
  expect(shown(tallyOf('participants', rows), 'gender')).toEqual(['__proto__: 2', 'constructor: 1'])
})

test('most rows first, ties by name; not reported is last, however many they are', () => {
  const rows = ['b', 'a', 'ä', 'Z', 'c', 'c', null, null, null].map((gender) => ({ gender }))
  expect(shown(tallyOf('participants', rows), 'gender')).toEqual([
    'c: 2',
    'Z: 1',
    'a: 1',
    'b: 1',
    'ä: 1',
    'not reported: 3',
  ])
})

test('files are summed by type; a size that is none is told apart', () => {
  const tally = tallyOf('genomic-files', [
    { data_type: 'gVCF', size: 10 },
    { data_type: 'gVCF', size: 5 },
    { data_type: 'gVCF', size: null },
    { data_type: 'Aligned Read', size: 1e12 },
    ...[-1, 1.5, '7', 1e300].map((size) => ({ data_type: 'odd', size })),
  ])
  expect(tally.by()['data_type']).toEqual([
    { value: 'odd', rows: 4, bytes: 0 },
    { value: 'gVCF', rows: 3, bytes: 15 },
    { value: 'Aligned Read', rows: 1, bytes: 1e12 },
  ])
  expect([tally.bytes, tally.withoutSize]).toEqual([1e12 + 15, 5])
})

test('two tallies added are the tally of all rows', () => {
  const files = Array.from({ length: 60 }, (_, at) => ({
    data_type: at % 7 === 0 ? null : `type ${at % 5}`,
    size: at % 3 === 0 ? null : at,
  }))
  const all = tallyOf('genomic-files', files)
  const added = tallyOf('genomic-files', files.slice(0, 20))
  added.add(tallyOf('genomic-files', files.slice(20)))
  expect(added.by()).toEqual(all.by())
  expect([added.rows, added.bytes, added.withoutSize]).toEqual([all.rows, all.bytes, all.withoutSize])
})

test('a field of free text does not fill the memory, and no row is lost', () => {
  const rows = Array.from({ length: 1000 }, (_, at) => ({ gender: `text ${at}`.padEnd(5000, '!') }))
  const one = tallyOf('participants', [...rows, { gender: null }, rows[0] ?? {}])
  one.add(tallyOf('participants', rows))
  const values = one.by()['gender'] ?? []
  expect(values).toHaveLength(202)
  expect(values.slice(-2).map(({ value }) => value)).toEqual(['other values', 'not reported'])
  expect(values.reduce((sum, value) => sum + value.rows, 0)).toBe(2002)
  expect(Math.max(...values.map(({ value }) => value.length))).toBe(201)
})
