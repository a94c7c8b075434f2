import { shareText } from './amounts.ts'
import { type Content, html, type Markup } from './markup.ts'
import type { ValueCount } from './report.ts'
import { NOT_REPORTED, OTHER_VALUES } from './tally.ts'

/** One chart with its table: a measure of the values of a field. */
export interface Chart {
  readonly title: string
  /** Heads the column of numbers. */
  readonly measure: string
  readonly values: readonly ValueCount[]
  readonly amount: (value: ValueCount) => number
  readonly shown: (amount: number) => string
  /** What the numbers leave out; empty where it is nothing. */
  readonly note: string
}

interface Bar {
  readonly label: string
  readonly amount: number
  /** What it stands for: a value, rows without one, or all the values that have no bar of their own. */
  readonly kind: 'value' | 'no-value' | 'rest'
}

const MOST_BARS = 12
const BAR_PITCH = 42 // px from bar to bar: a line of text and the bar below it
const MOST_LABEL_CHARS = 34 // as many as surely fit beside the number on the narrowest screen

/** A card with bars and, beside them, a table of the same numbers. */
export function chartFigure(chart: Chart): Markup {
  const bars = barsOf(chart)
  const whole = bars.reduce((total, bar) => total + bar.amount, 0)
  return html`<figure class="card">
    <figcaption><h3>${chart.title}</h3></figcaption>
    ${whole === 0 ? html`<p class="quiet">Nothing to show.</p>` : [drawn(chart, bars), table(chart, bars, whole)]}
    ${chart.note === '' ? '' : html`<p class="quiet">${chart.note}</p>`}
  </figure>`
}

/** The biggest values, each its bar, and one for all the others together. */
function barsOf({ values, amount }: Chart): Bar[] {
  const bars = values
    .map((each): Bar => ({
      label: each.value,
      amount: amount(each),
      kind: kindOf(each.value),
    }))
    .sort((one, other) => rank(one) - rank(other) || other.amount - one.amount)
  if (bars.length <= MOST_BARS) return bars
  const rest = bars.slice(MOST_BARS - 1)
  const label = `${rest.length} more, see report.json`
  return [
    ...bars.slice(0, MOST_BARS - 1),
    { label, amount: rest.reduce((total, bar) => total + bar.amount, 0), kind: 'rest' },
  ]
}

function kindOf(value: string): Bar['kind'] {
  return value === NOT_REPORTED || value === OTHER_VALUES ? 'no-value' : 'value'
}

function rank({ kind }: Bar): number {
  return kind === 'value' ? 0 : 1
}

/**
 * Widths are in percent and heights in pixels, so that text keeps its size however wide the chart is. It tells a
 * screen reader no more than its title: the table has the numbers.
 */
function drawn({ title, shown }: Chart, bars: readonly Bar[]): Markup {
  const most = Math.max(1, ...bars.map(({ kind, amount }) => (kind === 'rest' ? 0 : amount)))
  const rows = bars.map((bar, at) => {
    const text = at * BAR_PITCH + 14
    return html`<text x="0" y="${text}">${shortened(bar.label)}</text>
      <text class="number" x="100%" y="${text}" text-anchor="end">${shown(bar.amount)}</text>
      ${bar.kind === 'rest' ? '' : rectangles(bar, at * BAR_PITCH + 20, (100 * bar.amount) / most)}`
  })
  const label = `${title}: bar chart of the numbers in the table`
  return html`<svg role="img" aria-label="${label}" width="100%" height="${bars.length * BAR_PITCH}">
    ${rows}
  </svg>`
}

/** No bar for the rest: being many values, it would dwarf all the others. */
function rectangles({ kind }: Bar, top: number, percent: number): Markup {
  return html`<rect class="track" x="0" y="${top}" width="100%" height="10" rx="3" />
    <rect class="${kind}" x="0" y="${top}" width="${percent.toFixed(2)}%" height="10" rx="3" />`
}

function shortened(label: string): string {
  const characters = Array.from(label)
  if (characters.length <= MOST_LABEL_CHARS) return label
  return `${characters.slice(0, MOST_LABEL_CHARS - 1).join('')}…`
}

function table({ title, measure, shown }: Chart, bars: readonly Bar[], whole: number): Markup {
  const rows: Content = bars.map(
    ({ label, amount }) =>
      html`<tr>
        <th scope="row">${label}</th>
        <td>${shown(amount)}</td>
        <td>${shareText(amount, whole)}</td>
      </tr>`,
  )
  return html`<table>
    <caption class="unseen">
      ${title}
    </caption>
    <thead>
      <tr>
        <th scope="col">Value</th>
        <th scope="col">${measure}</th>
        <th scope="col">Share</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`
}
