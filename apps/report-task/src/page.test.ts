import { expect, test } from 'vitest'

import { page } from './page.ts'
import type { AllCounts, Report, ValueCount } from './report.ts'

const MAKER = { name: 'report-task', version: '1.0.0' }
const HOSTILE = `</title></style><script>alert(1)</script><img src=x onerror="a()"> & 'more'`

function values(...rows: number[]): ValueCount[] {
  return rows.map((count, at) => ({ value: `value ${at}`, rows: count, bytes: count * 1000 }))
}

function countsOf(shown: readonly ValueCount[]): AllCounts {
  const rows = shown.reduce((sum, value) => sum + value.rows, 0)
  const [one, other] = [
    { gender: shown, race: shown, ethnicity: shown, diagnosis_category: shown },
    { composition: shown, tissue_type: shown },
  ]
  return {
    participants: { rows, by: one },
    biospecimens: { rows, by: other },
    genomic_files: { rows, bytes: rows * 1000, rows_without_size: 2, by: { data_type: shown } },
  }
}

function reportOf(counts: AllCounts, names: readonly string[] = ['One study']): Report {
  return {
    release: { kf_id: 'RE_00000001', name: 'Spring release', candidate_version: '1.4.0' },
    created_at: '2024-06-01T12:34:56.789Z',
    total: counts,
    studies: names.map((name, at) => ({ kf_id: `SD_0000000${at}`, name, ...counts })),
  }
}

function count(text: string, what: RegExp): number {
  return [...text.matchAll(what)].length
}

test('shows release, studies, totals, and eight charts for all and for each study', () => {
  const text = page(reportOf(countsOf(values(30, 12)), ['One study', 'Another']), MAKER)
  expect(text).toContain('<title>Spring release: report</title>')
  expect(text).toContain('planned as version 1.4.0')
  expect(text).toContain('2024-06-01 12:34 UTC')
  expect(text).toContain('<dd>42.0 kB</dd>')
  expect(count(text, /<svg /g)).toBe(3 * 8)
  for (const title of ['by gender', 'by race', 'by ethnicity', 'by diagnosis category'])
    expect(count(text, new RegExp(`<h3>Participants ${title}</h3>`, 'g'))).toBe(3)
})

test('beside every chart is a table with the same numbers, and its name', () => {
  const text = page(reportOf(countsOf(values(30, 12, 1))), MAKER)
  const figures = text.split('<figure').slice(1)
  expect(figures).toHaveLength(16)
  for (const figure of figures) {
    const drawn = [...figure.matchAll(/text-anchor="end">([^<]+)</g)].map((match) => match[1])
    const told = [...figure.matchAll(/<\/th>\s*<td>([^<]+)</g)].map((match) => match[1])
    expect(drawn).toHaveLength(3)
    expect(told).toEqual(drawn)
    expect(figure).toMatch(/<caption class="unseen">\s*\S/)
    expect(figure).toMatch(/<svg role="img" aria-label="[^"]+"/)
  }
})

test('the widest bar is the biggest value, the others are in proportion', () => {
  const text = page(reportOf(countsOf(values(40, 10, 1))), MAKER)
  const widths = [...text.matchAll(/<rect class="value"[^>]* width="([^"]+)"/g)].map((match) => match[1])
  expect(widths.slice(0, 3)).toEqual(['100.00%', '25.00%', '2.50%'])
})

test('the bars of a chart are in its own order: sizes by size', () => {
  const shown = [
    { value: 'many', rows: 9, bytes: 1 },
    { value: 'big', rows: 1, bytes: 9000 },
    { value: 'not reported', rows: 99, bytes: 99_000 },
  ]
  const text = page(reportOf(countsOf(shown)), MAKER)
  const figure = text.split('<h3>Size of genomic files by data type</h3>')[1] ?? ''
  expect([...figure.matchAll(/<th scope="row">([^<]+)</g)].slice(0, 3).map((match) => match[1])).toEqual([
    'big',
    'many',
    'not reported',
  ])
  expect(figure).toContain('class="no-value"')
})

test('nothing from outside gets into the markup', () => {
  const shown = [{ value: HOSTILE, rows: 3, bytes: 1 }]
  const report = reportOf(countsOf(shown), [HOSTILE])
  const release = { kf_id: HOSTILE, name: HOSTILE, candidate_version: HOSTILE }
  const text = page({ ...report, release }, { name: HOSTILE, version: HOSTILE })
  expect(text).not.toMatch(/<script|<img|onerror="|'more'/)
  expect(count(text, /<\/style>/g)).toBe(1)
  expect(count(text, /<\/title>/g)).toBe(1)
  expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
})

test('it runs nothing and loads nothing, and says so to the browser', () => {
  const text = page(reportOf(countsOf(values(3))), MAKER)
  expect(text).not.toMatch(/<script|<link|<iframe|<object|\ssrc=|@import|url\(|https?:\/\/|\son\w+=/i)
  expect(text).toContain(`content="default-src 'none'; style-src 'unsafe-inline'`)
  const links = [...text.matchAll(/href="([^"]+)"/g)].map((match) => match[1])
  expect(new Set(links)).toEqual(new Set(['#SD_00000000', 'report.json', 'manifest.json']))
})

test('it is light and dark, and fits a narrow screen', () => {
  const text = page(reportOf(countsOf(values(3))), MAKER)
  expect(text).toContain('@media (prefers-color-scheme: dark)')
  expect(text).toContain('name="viewport" content="width=device-width, initial-scale=1"')
})

test('of many values the first eleven have a bar, and the rest a line together', () => {
  const text = page(reportOf(countsOf(values(...Array.from({ length: 30 }, (_, at) => 100 - at)))), MAKER)
  const figure = (text.split('<figure')[1] ?? '').split('</figure>')[0] ?? ''
  expect(count(figure, /<rect class="value"/g)).toBe(11)
  expect(figure).toMatch(/<rect class="value"[^>]* width="100.00%"/) // the rest, though more, sets no measure
  expect(figure).toContain('<th scope="row">19 more, see report.json</th>')
  const rest = Array.from({ length: 19 }, (_, at) => 89 - at).reduce((sum, rows) => sum + rows, 0)
  expect(figure).toContain(rest.toLocaleString('en-US'))
})

test('a long value is cut in the chart and whole in the table', () => {
  const long = `${'ä'.repeat(40)}👍`
  const figure = page(reportOf(countsOf([{ value: long, rows: 1 }])), MAKER).split('<figure')[1] ?? ''
  expect(figure).toContain(`>${'ä'.repeat(33)}…</text>`)
  expect(figure).toContain(`<th scope="row">${long}</th>`)
})

test.each([
  ['no rows', []],
  ['values of nothing', [{ value: 'a', rows: 0, bytes: 0 }]],
  [
    'a rest that is all there is',
    [...values(...Array<number>(20).fill(0)), { value: 'not reported', rows: 7 }],
  ],
])('%s: no number is missing', (_, shown) => {
  const text = page(reportOf(countsOf(shown)), MAKER)
  expect(text).not.toMatch(/NaN|Infinity|undefined|null/)
})

test('files without a size are told', () => {
  const text = page(reportOf(countsOf(values(3))), MAKER)
  expect(text).toContain('2 files do not tell their size, and are left out.')
})

test('a few studies are open, many are folded up', () => {
  const names = ['1', '2', '3', '4', '5']
  const counts = countsOf(values(1))
  expect(count(page(reportOf(counts, names.slice(1)), MAKER), /<details id="SD_\w+" open>/g)).toBe(4)
  const many = page(reportOf(counts, names), MAKER)
  expect(count(many, /<details/g)).toBe(5)
  expect(count(many, / open>/g)).toBe(0)
})
