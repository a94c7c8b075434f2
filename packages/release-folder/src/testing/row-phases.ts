import { join } from 'node:path'

import type { StageContext } from '@release-task/task-service'

import { syncFolders } from '../durable.ts'
import type { ManifestFile } from '../manifest.ts'
import { writeRows } from '../ndjson.ts'
import { discardRelease, publishRelease } from '../publication.ts'
import { readSubject, stageFolder, type StagedFolder } from '../staging.ts'
import type { Workplace } from '../workplace.ts'
import type { Phases } from './phases.ts'

const FILES = { 'participants.ndjson': 1, 'biospecimens.ndjson': 2, 'genomic-files.ndjson': 3 }

/** Stages a folder per study with three small files: the least that a task does. */
export async function stageRows(place: Workplace, task: StageContext): Promise<StagedFolder<ManifestFile>> {
  const maker = { name: 'row-task', version: '1.0.0' }
  return await stageFolder(place, task, await readSubject(task), maker, async (folder) => {
    const files: ManifestFile[] = []
    for (const study of new Set(task.studies)) {
      await place.fs.makeFolder(join(folder, study))
      for (const [name, rows] of Object.entries(FILES)) {
        const path = `${study}/${name}`
        files.push({ path, ...(await writeRows(place.fs, join(folder, path), [rowsOf(rows)])) })
      }
      await syncFolders(place.fs, join(folder, study))
    }
    return files
  })
}

function rowsOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => JSON.stringify({ kf_id: index, note: 'größer als Ä' }))
}

const phases: Phases = { stage: stageRows, publish: publishRelease, discard: discardRelease }
export default phases
