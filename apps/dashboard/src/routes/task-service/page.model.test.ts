import { expect, test } from 'vitest'
import { lastTasksPath, switchMeaning } from './page.model.ts'

test('the last tasks are those of this service', () =>
  expect(lastTasksPath('TS_1')).toBe('/tasks?task_service=TS_1&limit=20'))

test('a switch says what it does from now on', () => {
  expect(switchMeaning({ name: 'files', enabled: true })).toContain('gets no task')
  expect(switchMeaning({ name: 'files', enabled: false })).toContain('gets a task in every release')
})
