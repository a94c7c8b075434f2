import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LANGUAGES, newProject } from './new-project.ts'

let parent: string
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'new-'))
})
afterEach(() => rmSync(parent, { recursive: true, force: true }))

const make = (name: string, language: (typeof LANGUAGES)[number] = 'ts') =>
  newProject({ name, language, version: '1.2.3', parent })
const read = (name: string, file: string) => readFileSync(join(parent, name, file), 'utf8')

test.each(LANGUAGES)(
  '%s: a package with its name, a task, a test, and nothing left to fill in',
  (language) => {
    const files = make('my-task', language)
    expect(files).toEqual(expect.arrayContaining(['.gitignore', 'package.json', 'task.ts', 'task.test.ts']))
    const { name, dependencies, scripts } = JSON.parse(read('my-task', 'package.json'))
    expect([name, dependencies]).toEqual(['my-task', { 'release-task': '1.2.3' }])
    expect(scripts).toEqual({ start: 'release-task dev task.ts', test: 'node --test' })
    for (const file of files) expect(read('my-task', file)).not.toContain('{{')
    expect(read('my-task', 'task.ts')).toContain("name: 'my-task'")
  },
)

test('the helper of a language is the one of the examples', () => {
  const root = new URL('../../../../', import.meta.url)
  const example = (path: string) => readFileSync(new URL(`examples/${path}`, root), 'utf8')
  make('py', 'python')
  make('sh', 'shell')
  expect(read('py', 'release_task.py')).toBe(example('python/release_task.py'))
  expect(read('sh', 'release-task.sh')).toBe(example('shell/release-task.sh'))
})

test.each(['', 'My-Task', '../x', 'a/b', '-x', '1x', 'x'.repeat(64)])('%j is no name', (name) => {
  expect(() => make(name)).toThrow('cannot be the name of a task')
})

test('what is there already is not written over', () => {
  make('mine')
  writeFileSync(join(parent, 'mine', 'task.ts'), 'my work')
  expect(() => make('mine')).toThrow('There is something in')
  expect(read('mine', 'task.ts')).toBe('my work')
})
