import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'

import { expect, test } from 'vitest'

import { SAMPLE_STUDIES, sampleRows } from './sample.ts'
import { COLLECTIONS } from './source.ts'

type Row = { [field: string]: unknown; kf_id: string; _links: { [name: string]: string } }

const FIELDS = {
  participants:
    'kf_id external_id is_proband affected_status gender race ethnicity species diagnosis_category visible created_at modified_at',
  biospecimens:
    'kf_id external_sample_id external_aliquot_id analyte_type composition age_at_event_days source_text_tissue_type source_text_anatomical_site source_text_tumor_descriptor volume_ul concentration_mg_per_ml consent_type dbgap_consent_code visible created_at modified_at',
  'genomic-files':
    'kf_id external_id data_type file_name file_format size hashes urls is_harmonized reference_genome controlled_access availability workflow_type acl authz visible created_at modified_at',
}

const all = SAMPLE_STUDIES.flatMap((study) =>
  COLLECTIONS.map((collection) => ({ study, collection, rows: [...sampleRows(study, collection)] as Row[] })),
)
const everyRow = all.flatMap(({ rows }) => rows)

test('there are 100,000 records in three studies, most of them genomic files', () => {
  expect(SAMPLE_STUDIES.map((study) => study.id)).toEqual(['SD_BHJXBDQK', 'SD_9PYZAHHE', 'SD_DYPMEHHF'])
  expect(everyRow).toHaveLength(100_000)
  expect(
    all.filter(({ collection }) => collection === 'genomic-files').flatMap(({ rows }) => rows),
  ).toHaveLength(70_000)
})

test('the same seed gives the same bytes, on this day and on every other', () => {
  const hash = createHash('sha256')
  for (const row of everyRow) hash.update(`${JSON.stringify(row)}\n`)
  // A change here means that everybody's sample input changes: then change the seed's name as well.
  expect(hash.digest('hex')).toBe('d8bcb7e4dfdb01e54e0a37328db31b535e8212a12869708d73eb1fe5d9f58f6f')
  const again = SAMPLE_STUDIES.flatMap((study) => COLLECTIONS.flatMap((name) => [...sampleRows(study, name)]))
  expect(JSON.stringify(again) === JSON.stringify(everyRow)).toBe(true)
})

test('every record has the fields of its collection and an id of its own', () => {
  for (const { collection, rows } of all) {
    const fields = [...FIELDS[collection].split(' '), '_links'].join(' ')
    expect(new Set(rows.map((row) => Object.keys(row).join(' ')))).toEqual(new Set([fields]))
  }
  const ids = new Set(everyRow.map((row) => row.kf_id))
  expect(ids.size).toBe(100_000)
  expect([...ids].filter((id) => !/^(PT|BS|GF)_[0-9A-HJKMNP-TV-Z]{8}$/.test(id))).toEqual([])
})

test('a biospecimen belongs to a participant of its study', () => {
  for (const { study, collection, rows } of all.filter((part) => part.collection === 'biospecimens')) {
    const people = all.find((part) => part.study === study && part.collection === 'participants')
    const known = new Set(people?.rows.map((row) => `/participants/${row.kf_id}`))
    expect(rows.filter((row) => !known.has(row._links['participant'] ?? '')).length, collection).toBe(0)
  }
})

test('some values are missing, as in real data', () => {
  const withNull = everyRow.filter((row) => Object.values(row).includes(null)).length
  expect(withNull).toBeGreaterThan(10_000)
  expect(withNull).toBeLessThan(90_000)
})

test('the sample studies are those that the coordinator offers', async () => {
  const read = async (path: string) => JSON.parse(await readFile(new URL(path, import.meta.url), 'utf8'))
  expect(await read('sample-studies.json')).toEqual(await read('../../coordinator/samples/studies.json'))
})
