import { expect, test } from 'vitest'
import { notesOfStudyPath, releasesOfStudyPath } from './page.model.ts'

test('the releases of a study, by pages', () => {
  expect(releasesOfStudyPath('SD_1', undefined)).toBe('/studies/SD_1/releases?limit=10')
  expect(releasesOfStudyPath('SD_1', '20')).toBe('/studies/SD_1/releases?limit=10&offset=20')
  expect(releasesOfStudyPath('SD_1', '-3')).toBe('/studies/SD_1/releases?limit=10')
})

test('the notes of a study', () =>
  expect(notesOfStudyPath('SD_1')).toBe('/release-notes?study=SD_1&limit=100'))
