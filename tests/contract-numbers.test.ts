import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const ROOT = new URL('../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, ROOT), 'utf8')

const GROUPS = 'CR|RC|SV|AU|N|TS|WK'

/** The rules that no test can name, each with its reason. */
const EXCEPTIONS: { readonly [number: string]: string } = {
  'SV-10': 'tells what versions of the original did; nothing of ours behaves by it',
  'SV-15':
    'a length of time, which a test on a busy machine cannot measure; that no answer waits for the work is TS-3',
}

/** The numbers of the rules, in the order of the page. */
const rules = [
  ...read('docs/protocol.md').matchAll(new RegExp(`^- \\*\\*((?:${GROUPS})-\\d+)\\*\\*`, 'gm')),
].map(([, number = '']) => number)

const files = globSync('{packages,apps}/*/src/**/*.ts', { cwd: ROOT })
  .concat(globSync('tests/**/*.ts', { cwd: ROOT }), globSync('scripts/*.ts', { cwd: ROOT }))
  .filter((file) => /(?:\.test|\.contract|-tests)\.ts$/.test(file))
  // The examples below are no tests.
  .filter((file) => !file.endsWith('contract-numbers.test.ts'))

/** The titles of a file: the first argument of `test(`, `describe.skipIf(…)(` and all that look like them. */
function titlesOf(source: string): string[] {
  const titles = /(?:\b(?:test|it|describe)(?:\.\w+)*|\))\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1\s*,/g
  return [...source.matchAll(titles)].map(([, , title = '']) => title)
}

/** The numbers that a title names; `RC-23 to RC-27` is five of them. */
function numbersOf(title: string): string[] {
  const named = new RegExp(`\\b(${GROUPS})-(\\d+)(?: to \\1-(\\d+))?\\b`, 'g')
  return [...title.matchAll(named)].flatMap(([, group = '', first, last = first]) => {
    const count = Number(last) - Number(first) + 1
    return Array.from({ length: count }, (_, index) => `${group}-${Number(first) + index}`)
  })
}

const named = new Map<string, string>()
for (const file of files)
  for (const title of titlesOf(read(file)))
    for (const number of numbersOf(title)) named.set(number, `${file}: ${title}`)

test('titles and the numbers in them are found, however they are written', () => {
  const source = [
    `test('one (N-1)', () => {})`,
    'describe.each(ROWS)(`two (TS-2, WK-15 to WK-17)`, () => {})',
    `test.each([\n  [1, 'not N-9'],\n])(\n  'three (RC-3)',\n  () => {})`,
    `// test of N-8`,
    `expect(x).toBe('N-7')`,
  ].join('\n')
  const found = titlesOf(source).flatMap((title) => numbersOf(title))
  expect(found).toEqual(['N-1', 'TS-2', 'WK-15', 'WK-16', 'WK-17', 'RC-3'])
  expect(files.length).toBeGreaterThan(100)
})

test('every rule is on the page once', () => {
  expect(rules.length).toBeGreaterThan(150)
  expect(new Set(rules).size).toBe(rules.length)
})

test('every rule is named in the title of a test, or is an exception', () => {
  expect(rules.filter((number) => !named.has(number) && !(number in EXCEPTIONS))).toEqual([])
})

test('no exception is needless: each is a rule that no title names', () => {
  for (const number of Object.keys(EXCEPTIONS)) {
    expect(rules).toContain(number)
    expect(named.get(number)).toBeUndefined()
  }
})

test('no title names a rule that the page does not have', () => {
  expect([...named].filter(([number]) => !rules.includes(number))).toEqual([])
})
