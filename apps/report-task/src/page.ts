import type { Maker } from '@release-task/release-folder'

import { byteText, grouped } from './amounts.ts'
import { chartFigure } from './chart.ts'
import { chartsOf } from './charts.ts'
import { html, Markup } from './markup.ts'
import type { AllCounts, Report, StudyReport } from './report.ts'
import { STYLE } from './style.ts'

/** More than so many studies are folded up: the page would be too long to find anything. */
const MOST_OPEN_STUDIES = 4

/** The report as a page of its own: it loads nothing, runs nothing, and escapes all that came from outside. */
export function page(report: Report, maker: Maker): string {
  const { release, studies, total } = report
  const open = studies.length <= MOST_OPEN_STUDIES
  const document = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
        />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${release.name}: report</title>
        <style>
          ${new Markup(STYLE)}
        </style>
      </head>
      <body>
        <header>
          <h1><bdi>${release.name}</bdi></h1>
          <p class="quiet">
            Release <code>${release.kf_id}</code> · planned as version ${release.candidate_version} · counted
            ${timeText(report.created_at)}
          </p>
        </header>
        <main>
          ${tiles(report)}
          <section aria-labelledby="studies">
            <h2 id="studies">Studies</h2>
            ${studyTable(studies)}
          </section>
          <section aria-labelledby="total">
            <h2 id="total">All studies together</h2>
            ${charts(total)}
          </section>
          ${studies.map((study) => studySection(study, open))}
        </main>
        <footer class="quiet">
          Made by ${maker.name} ${maker.version}. The same numbers for programs:
          <a href="report.json">report.json</a>; checksums: <a href="manifest.json">manifest.json</a>.
        </footer>
      </body>
    </html>`
  return `${document.toString()}\n`
}

/** To the minute, as people write it; the zone is told, as readers are everywhere. */
function timeText(iso: string): string {
  return `${iso.slice(0, 16).replace('T', ' ')} UTC`
}

function tiles({ studies, total }: Report): Markup {
  const facts = {
    Studies: grouped(studies.length),
    Participants: grouped(total.participants.rows),
    Biospecimens: grouped(total.biospecimens.rows),
    'Genomic files': grouped(total.genomic_files.rows),
    'Size of the files': byteText(total.genomic_files.bytes ?? 0),
  }
  const cards = Object.entries(facts).map(
    ([name, fact]) =>
      html`<div class="card">
        <dt>${name}</dt>
        <dd>${fact}</dd>
      </div>`,
  )
  return html`<dl class="tiles">${cards}</dl>`
}

/** With roles, as on a narrow screen its rows are laid out as grids, and browsers then forget that it is a table. */
function studyTable(studies: readonly StudyReport[]): Markup {
  const heads = ['Study', 'Participants', 'Biospecimens', 'Genomic files', 'Size']
  return html`<div class="card studies">
    <table role="table" aria-labelledby="studies">
      <thead role="rowgroup">
        <tr role="row">
          ${heads.map((head) => html`<th role="columnheader" scope="col">${head}</th>`)}
        </tr>
      </thead>
      <tbody role="rowgroup">
        ${studies.map(studyRow)}
      </tbody>
    </table>
  </div>`
}

function studyRow(study: StudyReport): Markup {
  const numbers = [
    grouped(study.participants.rows),
    grouped(study.biospecimens.rows),
    grouped(study.genomic_files.rows),
    byteText(study.genomic_files.bytes ?? 0),
  ]
  return html`<tr role="row">
    <th role="rowheader" scope="row">
      <a href="#${study.kf_id}"><bdi>${study.name}</bdi></a>
    </th>
    ${numbers.map((number) => html`<td role="cell">${number}</td>`)}
  </tr>`
}

function studySection(study: StudyReport, open: boolean): Markup {
  return html`<details id="${study.kf_id}" ${open ? 'open' : ''}>
    <summary>
      <h2><bdi>${study.name}</bdi></h2>
      <code class="quiet">${study.kf_id}</code>
    </summary>
    ${charts(study)}
  </details>`
}

function charts(counts: AllCounts): Markup {
  return html`<div class="charts">${chartsOf(counts).map(chartFigure)}</div>`
}
