import { expect, test } from 'vitest'
import { refusalOf } from '../../api-error.ts'
import type { Study } from '../../api-types.ts'
import { mayForce, studiesLike, syncText } from './page.model.ts'

const STUDIES = [
  { kf_id: 'SD_1', name: 'Heart' },
  { kf_id: 'SD_2', name: 'Lung' },
] as Study[]

test('by name or id; without a filter all', () => {
  expect(studiesLike(STUDIES, 'heart')).toEqual([STUDIES[0]])
  expect(studiesLike(STUDIES, 'sd_2')).toEqual([STUDIES[1]])
  expect(studiesLike(STUDIES, undefined)).toHaveLength(2)
})

test('what came of a synchronisation', () => {
  expect(syncText({ new: 0, deleted: 0 })).toContain('none is gone')
  expect(syncText({ new: 2, deleted: 1 })).toBe('Synchronised: 2 new, 1 gone.')
})

test('only the refusal that protects studies may be overruled', () => {
  expect(mayForce(refusalOf(409, {}))).toBe(true)
  expect(mayForce(refusalOf(502, {}))).toBe(false)
  expect(mayForce(null)).toBe(false)
})
