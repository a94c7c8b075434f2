import { expect, test } from 'vitest'
import { taskSearch, tasksPath } from './page.model.ts'

test.each([
  [{}, '/tasks?limit=50'],
  [{ state: 'running', release: 'RE_1' }, '/tasks?state=running&release=RE_1&limit=50'],
  [{ task_service: 'TS_1', offset: '50', x: 'y' }, '/tasks?task_service=TS_1&limit=50&offset=50'],
])('%j asks %s', (search, path) => expect(tasksPath(taskSearch(search))).toBe(path))
