import { describe, expect, test } from 'vitest'
import { actionRequest, actionRequestSchema } from './action.ts'

const BODY = { action: 'start', task_id: 'TA_3G4W5C2X', release_id: 'RE_7S0R2D1Q' }

/** The fields that are complained of; empty where the body is taken. */
function complaints(body: unknown): string[] {
  const { error } = actionRequestSchema.safeParse(body)
  return error?.issues.map((issue) => issue.path.join('.')) ?? []
}

test('names on the wire become ours; studies may be absent or null (SV-6, SV-7); the rest is ignored (SV-8)', () => {
  const studies = ['SD_BHJXBDQK']
  const expected = { action: 'start', taskId: 'TA_3G4W5C2X', releaseId: 'RE_7S0R2D1Q' }
  const parse = (body: unknown) => actionRequest(actionRequestSchema.parse(body))
  expect(parse({ ...BODY, studies, urls: [], kf_id: 5 })).toEqual({ ...expected, studies })
  expect(parse(BODY)).toEqual({ ...expected, studies: null })
  expect(parse({ ...BODY, studies: null })).toEqual({ ...expected, studies: null })
})

describe('what is wrong is named by its field', () => {
  test.each([
    [{ ...BODY, action: 'fly' }, ['action']],
    [{ ...BODY, action: 'toString' }, ['action']],
    [{ ...BODY, action: ['start'] }, ['action']],
    [{ ...BODY, action: null }, ['action']],
    [{ ...BODY, task_id: 'TS_3G4W5C2X' }, ['task_id']],
    [{ ...BODY, task_id: 11 }, ['task_id']],
    [{ ...BODY, release_id: '' }, ['release_id']],
    [{ ...BODY, studies: 'SD_BHJXBDQK' }, ['studies']],
    [{ ...BODY, studies: { 0: 'SD_BHJXBDQK', length: 1 } }, ['studies']],
    [{ ...BODY, studies: ['SD_BHJXBDQK', 'PT_BHJXBDQK'] }, ['studies.1']],
    [{}, ['action', 'task_id', 'release_id']],
    [null, ['']],
    [[], ['']],
    ['start', ['']],
  ])('%j', (body, fields) => {
    expect(complaints(body)).toEqual(fields)
  })
})
