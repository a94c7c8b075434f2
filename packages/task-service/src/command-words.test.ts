import { expect, test } from 'vitest'
import { wordsOf } from './command-words.ts'

test.each([
  ['{"progress": 40}', { progress: 40 }],
  ['  {"progress": 40.5, "message": "half"}', { progress: 40.5, message: 'half' }],
  ['{"message": ""}', { message: '' }],
  ['{"summary": {"rows": 3}}', { summary: { rows: 3 } }],
  ['{"staged": null}', { staged: null }],
  ['{"staged": "folder", "summary": {}}', { staged: 'folder', summary: {} }],
  ['{"step": "copy"}', { step: 'copy' }],
  ['{"step": "copy", "result": [1], "progress": 2}', { step: 'copy', result: [1], progress: 2 }],
])('%s is taken at its word', (line, words) => expect(wordsOf(line, true)).toEqual(words))

test.each([
  'plain text',
  '',
  '40',
  'null',
  '"progress"',
  '[{"progress": 40}]',
  '{}',
  '{"progress": 40',
  '{"progress": 40} and more',
  '{"progress": "40"}',
  '{"progress": null}',
  '{"message": 3}',
  '{"summary": [1]}',
  '{"summary": null}',
  '{"step": ""}',
  '{"step": 1}',
  '{"result": 1}',
  '{"level": "info", "message": "a log of its own"}',
  '{"toString": 1}',
  '{"__proto__": {"progress": 1}}',
])('%s is log', (line) => expect(wordsOf(line, true)).toBeNull())

test('what only stage may tell is log in the other phases', () => {
  expect(wordsOf('{"summary": {}}', false)).toBeNull()
  expect(wordsOf('{"progress": 1, "staged": 2}', false)).toBeNull()
  expect(wordsOf('{"progress": 1, "step": "a"}', false)).toEqual({ progress: 1, step: 'a' })
})
