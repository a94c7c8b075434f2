import { join } from 'node:path'

import {
  type Maker,
  type ManifestFile,
  readSubject,
  stageFolder,
  type Workplace,
  writeTextFile,
} from '@release-task/release-folder'
import { countRows, PartReader, type RowSource } from '@release-task/study-records'
import type { Json, StageContext, StageResult } from '@release-task/task-service'

import { page } from './page.ts'
import { countReport, type Report, reportText } from './report.ts'

/** Counts every row of the release, and writes the report as JSON and as a page, with the manifest of both. */
export async function stageReport(
  place: Workplace,
  task: StageContext,
  source: RowSource,
  maker: Maker,
): Promise<StageResult> {
  const subject = await readSubject(task)
  const ids = subject.studies.map((study) => study.kf_id)
  const reader = new PartReader(task, source, await countRows(task, ids, source))
  let summary: { [key: string]: Json } = {}
  const { staged } = await stageFolder(place, task, subject, maker, async (folder) => {
    const report = await countReport(subject, reader, () => place.now())
    summary = summaryOf(report)
    const texts = { 'report.json': reportText(report), 'index.html': page(report, maker) }
    const files: ManifestFile[] = []
    for (const [path, text] of Object.entries(texts))
      files.push({ path, ...(await writeTextFile(place.fs, join(folder, path), text)) })
    return files
  })
  return { summary: { ...summary, page: `${staged.folder}/index.html` }, staged }
}

function summaryOf({ studies, total }: Report): { [key: string]: Json } {
  return {
    studies: studies.length,
    participants: total.participants.rows,
    biospecimens: total.biospecimens.rows,
    genomic_files: total.genomic_files.rows,
    genomic_file_bytes: total.genomic_files.bytes ?? 0,
  }
}
