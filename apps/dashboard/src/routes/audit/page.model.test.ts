import { expect, test } from 'vitest'
import { auditPath, auditSearch, follows, pageOf } from './page.model.ts'

test.each([
  [{}, '/audit?limit=50'],
  [{ actor: 'user:ada', offset: '100' }, '/audit?actor=user%3Aada&limit=50&offset=100'],
])('%j asks %s', (search, path) => expect(auditPath(auditSearch(search))).toBe(path))

test.each([
  ['RE_1', '/releases/RE_1'],
  ['TS_1', '/task-services/TS_1'],
  ['SD_1', '/studies/SD_1'],
  ['RN_1', null],
])('%s leads to %s', (subject, page) => expect(pageOf(subject)).toBe(page))

test('an older page is not followed', () =>
  expect([follows({}), follows({ offset: '50' })]).toEqual([true, false]))
