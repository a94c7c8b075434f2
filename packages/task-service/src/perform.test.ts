import { DatabaseError } from '@release-task/database'
import { createLogger } from '@release-task/http'
import { expect, test, vi } from 'vitest'
import type { CoordinatorClient } from './coordinator-client.ts'
import { defineTask } from './define.ts'
import { createPerform, type PerformDependencies } from './perform.ts'
import { aRecord } from './record.fixture.ts'

const away = () => Promise.reject(new DatabaseError('DATABASE_UNREACHABLE', 'The database does not answer'))

function perform(changes: Partial<PerformDependencies>, signal = new AbortController().signal) {
  const record = aRecord('running')
  const run = createPerform({
    task: defineTask({
      name: 'a',
      version: '1',
      stage: async (task) => ({ staged: await task.step('hours of work', () => 'done') }),
      publish: () => undefined,
    }),
    coordinator: {} as CoordinatorClient,
    log: createLogger('perform', 'silent'),
    progressIntervalMs: 1000,
    say: async () => ({ decision: { kind: 'unchanged', answer: { code: 200, state: 'running' } }, record }),
    load: async () => record,
    savedStep: async () => undefined,
    savedSteps: async () => ({}),
    releasesUnderWay: async () => [],
    checkPlace: async () => undefined,
    ...changes,
  })
  return run(record, 'stage', signal)
}

test('a database that is away for a moment costs no finished step', async () => {
  const savedStep = vi
    .fn<PerformDependencies['savedStep']>()
    .mockImplementationOnce(away)
    .mockResolvedValue(undefined)
  const checkPlace = vi
    .fn<PerformDependencies['checkPlace']>()
    .mockImplementationOnce(away)
    .mockResolvedValue()
  expect(await perform({ savedStep, checkPlace })).toEqual({ staged: 'done' })
  expect([savedStep, checkPlace].map((one) => one.mock.calls.length)).toEqual([2, 2])
})

test('what the code says last, within the interval, is handed on with its result', async () => {
  const task = defineTask({
    name: 'a',
    version: '1',
    stage: (task) => task.progress(100, 'all 3 files'),
    publish: () => undefined,
  })
  expect(await perform({ task })).toEqual({ lastMessage: 'all 3 files' })
})

test('any other error, and one of work that is not wanted any more, ends the work at once', async () => {
  const wrong = vi.fn(() => Promise.reject(new Error('wrong')))
  await expect(perform({ savedStep: wrong })).rejects.toThrow('wrong')
  expect(wrong).toHaveBeenCalledTimes(1)
  const stopped = vi.fn(away)
  await expect(perform({ checkPlace: stopped }, AbortSignal.abort('canceled'))).rejects.toThrow(
    'does not answer',
  )
  expect(stopped).toHaveBeenCalledTimes(1)
})
