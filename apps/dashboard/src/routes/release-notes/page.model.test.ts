import { expect, test } from 'vitest'
import { noteSearch, notesPath } from './page.model.ts'

test.each([
  [{}, '/release-notes?limit=20'],
  [{ author: 'ada', study: 'SD_1', offset: '20' }, '/release-notes?author=ada&study=SD_1&limit=20&offset=20'],
])('%j asks %s', (search, path) => expect(notesPath(noteSearch(search))).toBe(path))
