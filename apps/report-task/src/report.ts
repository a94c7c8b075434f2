import type { Subject } from '@release-task/release-folder'
import { type Collection, COLLECTIONS, type PartReader } from '@release-task/study-records'

import { Tally } from './tally.ts'

export interface ValueCount {
  readonly value: string
  readonly rows: number
  /** Of genomic files. */
  readonly bytes?: number
}

/** What is counted of one collection. */
export interface Counts {
  readonly rows: number
  /** Of genomic files; files that do not tell their size are counted apart. */
  readonly bytes?: number
  readonly rows_without_size?: number
  readonly by: { readonly [field: string]: readonly ValueCount[] }
}

export interface AllCounts {
  readonly participants: Counts
  readonly biospecimens: Counts
  readonly genomic_files: Counts
}

export interface StudyReport extends AllCounts {
  readonly kf_id: string
  readonly name: string
}

/** What `report.json` says. */
export interface Report {
  /** `candidate_version` is the version as planned when the release was staged. */
  readonly release: { readonly kf_id: string; readonly name: string; readonly candidate_version: string }
  readonly created_at: string
  readonly total: AllCounts
  readonly studies: readonly StudyReport[]
}

type Tallies = { readonly [collection in Collection]: Tally }

/** Reads every row of the release once, and keeps nothing but counts. */
export async function countReport(
  { release, studies }: Subject,
  reader: PartReader,
  now: () => Date,
): Promise<Report> {
  const total = emptyTallies()
  const counted: StudyReport[] = []
  for (const { kf_id, name } of studies) {
    const tallies = await countStudy(kf_id, reader)
    for (const collection of COLLECTIONS) total[collection].add(tallies[collection])
    counted.push({ kf_id, name, ...allCounts(tallies) })
  }
  return {
    release: { kf_id: release.kf_id, name: release.name, candidate_version: release.version },
    created_at: now().toISOString(),
    total: allCounts(total),
    studies: counted,
  }
}

function emptyTallies(): Tallies {
  return {
    participants: new Tally('participants'),
    biospecimens: new Tally('biospecimens'),
    'genomic-files': new Tally('genomic-files'),
  }
}

async function countStudy(study: string, reader: PartReader): Promise<Tallies> {
  const tallies = emptyTallies()
  for (const part of reader.parts.filter((each) => each.study === study)) {
    const counted = await reader.read(part, async (rows) => {
      const tally = new Tally(part.collection) // a new one: the rows may be read once more from the start
      for await (const batch of rows) for (const row of batch) tally.addRow(row)
      return tally
    })
    tallies[part.collection].add(counted)
  }
  return tallies
}

function allCounts(tallies: Tallies): AllCounts {
  return {
    participants: counts(tallies.participants),
    biospecimens: counts(tallies.biospecimens),
    genomic_files: countsWithBytes(tallies['genomic-files']),
  }
}

function counts(tally: Tally): Counts {
  const withoutBytes = Object.entries(tally.by()).map(
    ([name, values]) => [name, values.map(({ value, rows }) => ({ value, rows }))] as const,
  )
  return { rows: tally.rows, by: Object.fromEntries(withoutBytes) }
}

function countsWithBytes(tally: Tally): Counts {
  return { rows: tally.rows, bytes: tally.bytes, rows_without_size: tally.withoutSize, by: tally.by() }
}

/** The report as text: indented, as people read it too. */
export function reportText(report: Report): string {
  return JSON.stringify(report, null, 2) + '\n'
}
