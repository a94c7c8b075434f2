import { describe, expect, test } from 'vitest'
import type { TaskService } from '../../api-types.ts'
import { changesIn, draftOf, EMPTY_SERVICE, missingIn } from './page.model.ts'

const SERVICE = {
  name: 'files',
  description: 'Makes files',
  author: 'Ada',
  url: 'http://files:5000',
  deadlines: { accept: '10m', silence: null, total: null },
} as TaskService
const DRAFT = draftOf(SERVICE)

describe('what an edit sends', () => {
  test('nothing where nothing changed, so that the address is not called again', () =>
    expect(changesIn(DRAFT, { ...DRAFT, url: ' http://files:5000 ' })).toEqual({}))

  test('what changed, and a deadline that was emptied as null', () =>
    expect(
      changesIn(DRAFT, { ...DRAFT, name: 'Files', deadlines: { accept: '', silence: '1h', total: '' } }),
    ).toEqual({ name: 'Files', deadlines: { accept: null, silence: '1h' } }))
})

test('what is missing', () => {
  expect(missingIn(EMPTY_SERVICE)).toContain('needed')
  expect(missingIn(DRAFT)).toBeNull()
  expect(missingIn({ ...DRAFT, url: 'ftp://x' })).toContain('http://')
  expect(missingIn({ ...DRAFT, deadlines: { ...DRAFT.deadlines, total: 'soon' } })).toContain(
    'deadline total',
  )
})
