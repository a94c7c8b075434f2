import { expect, test } from 'vitest'
import type { Study, TaskService } from '../../api-types.ts'
import {
  bodyOf,
  EMPTY_DRAFT,
  findStudies,
  missingIn,
  servicesWarning,
  takingPart,
  toggled,
} from './page.model.ts'

const study = (kf_id: string, name: string, deleted = false) => ({ kf_id, name, deleted }) as Study
const service = (name: string, enabled: boolean, health_status: 'ok' | 'down' = 'ok') =>
  ({ name, enabled, health_status }) as TaskService

test('studies are found by name or id, deleted ones never', () => {
  const studies = [study('SD_1', 'Heart'), study('SD_2', 'Lung'), study('SD_3', 'Heart, old', true)]
  expect(findStudies(studies, 'HEART').shown.map(({ kf_id }) => kf_id)).toEqual(['SD_1'])
  expect(findStudies(studies, 'sd_2').shown.map(({ kf_id }) => kf_id)).toEqual(['SD_2'])
})

test('of very many only some are shown, and it says how many more', () => {
  const many = Array.from({ length: 53 }, (_, n) => study(`SD_${n}`, 'x'))
  expect(findStudies(many, '')).toMatchObject({ more: 3, shown: { length: 50 } })
})

test('choosing twice lets go', () => {
  expect(toggled(['a'], 'b')).toEqual(['a', 'b'])
  expect(toggled(['a', 'b'], 'a')).toEqual(['b'])
})

test('only enabled services take part, and those that are down are warned of', () => {
  const services = [service('files', true), service('report', true, 'down'), service('old', false, 'down')]
  expect(takingPart(services).taking.map(({ name }) => name)).toEqual(['files', 'report'])
  expect(servicesWarning(services)).toMatch(/^report does not answer/)
  expect(servicesWarning([service('files', true)])).toBeNull()
  expect(servicesWarning([service('old', false)])).toContain('No task service is enabled')
})

test('what is missing', () => {
  expect(missingIn(EMPTY_DRAFT)).toBe('Give it a name.')
  expect(missingIn({ ...EMPTY_DRAFT, name: ' ' })).toBe('Give it a name.')
  expect(missingIn({ ...EMPTY_DRAFT, name: 'a' })).toBe('Choose at least one study.')
  expect(missingIn({ ...EMPTY_DRAFT, name: 'a', studies: ['SD_1'] })).toBeNull()
})

test('the body', () =>
  expect(bodyOf({ name: ' a ', description: 'b', studies: ['SD_1'], isMajor: true })).toEqual({
    name: 'a',
    description: 'b',
    studies: ['SD_1'],
    is_major: true,
  }))
