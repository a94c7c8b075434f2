import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { hasPrograms, programTask, type ProgramFlags } from './program-task.ts'

let parent: string
let folder: string

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'programs-'))
  folder = join(parent, 'My Data (new)')
  mkdirSync(folder)
  writeFileSync(join(folder, 'stage.py'), 'print(1)')
})
afterEach(() => rmSync(parent, { recursive: true, force: true }))

const FLAGS: ProgramFlags = { stage: 'python3 stage.py', publish: 'true' }
const version = (flags = FLAGS) => programTask(flags, folder).version

test('the name is that of the folder, fit for paths; what is said counts', () => {
  expect(programTask(FLAGS, folder).name).toBe('my-data-new')
  expect(programTask(FLAGS, '/').name).toBe('task')
  expect(programTask({ ...FLAGS, name: 'mine', version: '3' }, folder)).toMatchObject({
    name: 'mine',
    version: '3',
  })
})

test('the version changes with what was typed, and with the files that it names', () => {
  const before = version()
  expect(version()).toBe(before)
  expect(before).toMatch(/^sha-[0-9a-f]{12}$/)
  const typed = version({ ...FLAGS, discard: 'true' })
  writeFileSync(join(folder, 'other.py'), 'print(1)')
  expect(version()).toBe(before)
  writeFileSync(join(folder, 'stage.py'), 'print(2)')
  expect(new Set([before, typed, version()]).size).toBe(3)
})

test.each([
  [{}, 'no program to stage'],
  [{ stage: 'true' }, 'no program to publish'],
  [{ publish: 'true' }, 'no program to stage'],
  [{ stage: '', publish: 'true' }, 'no program to stage'],
])('%j is refused', (flags, message) => expect(() => programTask(flags, folder)).toThrow(message))

test('a task file alone speaks of no programs', () => {
  expect(hasPrograms({ name: 'a', grace: 3 })).toBe(false)
  expect(hasPrograms({ discard: 'true' })).toBe(true)
})
