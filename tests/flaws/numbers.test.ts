import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const HERE = new URL('.', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, HERE), 'utf8')

const compatibility = read('../../docs/compatibility.md')

/** The numbers at the beginning of the rows of the table of flaws. */
function numbersOf(page: string): string[] {
  return [...page.matchAll(/^\| \*\*(F-\d+)\*\* \|/gm)].map(([, number = '']) => number)
}

/** The tests of this folder: those whose names begin with a number. */
const tests = readdirSync(HERE)
  .filter((file) => file.endsWith('.test.ts'))
  .flatMap((file) =>
    [...read(file).matchAll(/^test\('(F-\d+) /gm)].map(([, number = '']) => ({ file, number })),
  )

interface Row {
  readonly number: string
  readonly tested: string
}

/** Number and last cell of every row. */
const rows: readonly Row[] = compatibility
  .split('\n')
  .filter((line) => /^\| \*\*F-\d+\*\* \|/.test(line))
  .map((line) => {
    const cells = line.split(' | ')
    return { number: /F-\d+/.exec(line)?.[0] ?? '', tested: cells.at(-1)?.replace(/ \|$/, '').trim() ?? '' }
  })

test('the table has the flaws of the protocol, each once and in its order', () => {
  const listed = numbersOf(read('../../docs/protocol.md'))
  expect(listed.length).toBeGreaterThan(90)
  expect(numbersOf(compatibility)).toEqual(listed)
})

test('each flaw has its test here, in the file that the table names, or the table says why not', () => {
  for (const { number, tested } of rows) {
    const files = tests.filter((one) => one.number === number).map(({ file }) => file)
    const named = /^`([\w-]+\.test\.ts)`$/.exec(tested)?.[1]
    if (named === undefined) {
      expect(tested, number).toMatch(/^`\S+\.test\.ts` “.+”|^does not apply: |^not yet part/)
      expect(files, number).toEqual([])
    } else expect(files, `${number}: ${tested}`).toEqual([named])
  }
})

test('a test that stands elsewhere is really there', () => {
  const elsewhere = rows.flatMap(({ number, tested }) =>
    [...tested.matchAll(/`(\S+\.test\.ts)` “(.+?)”/g)].map(([, file = '', name = '']) => ({
      number,
      file,
      name,
    })),
  )
  expect(elsewhere.length).toBeGreaterThan(0)
  for (const { number, file, name } of elsewhere) expect(read(`../../${file}`), number).toContain(name)
})

test('no test has a number that the table does not have', () => {
  const known = new Set(rows.map(({ number }) => number))
  expect(tests.filter(({ number }) => !known.has(number))).toEqual([])
})
