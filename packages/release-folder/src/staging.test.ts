import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { nodeFileSystem } from './file-system.ts'
import { InvalidId } from './invalid-id.ts'
import type { Manifest } from './manifest.ts'
import { readSubject, stageFolder } from './staging.ts'
import { fakeTask } from './testing/fake-task.ts'
import { stageRows } from './testing/row-phases.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'
import { readTree } from './testing/tree.ts'
import type { Workplace } from './workplace.ts'

const MAKER = { name: 'row-task', version: '1.0.0' }
const STUDIES = ['SD_00000001', 'SD_00000002']

async function workplace(): Promise<Workplace> {
  const home = await temporaryFolder()
  const now = () => new Date('2024-06-01T12:00:00Z')
  return { fs: nodeFileSystem, root: join(home, 'release'), now }
}

test('the manifest tells release, studies, maker and files, with what the task says of each file', async () => {
  const place = await workplace()
  const task = fakeTask({ studies: [...STUDIES, 'SD_00000001'], attempt: 4 })
  const file = { path: 'a.txt', colour: 'blue', rows: 2, bytes: 30, sha256: 'ab' }
  const subject = await readSubject(task)
  const { manifest, staged } = await stageFolder(place, task, subject, MAKER, async () => [file, file])
  expect(staged).toEqual({ folder: 'staging/RE_00000001/4' })
  const folder = join(place.root, 'staging/RE_00000001/4')
  expect(JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'))).toEqual(manifest)
  expect(manifest).toEqual({
    release: { kf_id: 'RE_00000001', name: 'Spring release', candidate_version: '1.4.0' },
    studies: STUDIES.map((kf_id) => ({ kf_id, name: `Study ${kf_id}` })),
    created_at: '2024-06-01T12:00:00.000Z',
    task: { ...MAKER, id: 'TA_00000001', attempt: 4 },
    files: [file, file],
    totals: { studies: 2, files: 2, rows: 4, bytes: 60 },
  })
})

test('checksums, sizes and counts are those of the files', async () => {
  const place = await workplace()
  await stageRows(place, fakeTask({ studies: STUDIES }))
  const folder = join(place.root, 'staging/RE_00000001/1')
  const { files } = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as Manifest
  expect(files).toHaveLength(6)
  for (const file of files) {
    const bytes = await readFile(join(folder, file.path))
    expect(file.sha256).toBe(createHash('sha256').update(bytes).digest('hex'))
    expect(file.bytes).toBe(bytes.length)
    expect(file.rows).toBe(bytes.toString().split('\n').length - 1)
  }
})

test('a study is called as the task calls it, whatever the coordinator answers', async () => {
  const task = fakeTask()
  const study = async () => ({ kf_id: '../../etc', name: 'x', visible: true, created_at: null })
  const { studies } = await readSubject({ ...task, coordinator: { ...task.coordinator, study } })
  expect(studies.map(({ kf_id }) => kf_id)).toEqual(['SD_00000001'])
})

test('removes what earlier attempts left, but not what a later one is writing', async () => {
  const place = await workplace()
  const staging = join(place.root, 'staging/RE_00000001')
  for (const attempt of [1, 2, 10]) {
    await mkdir(join(staging, String(attempt)), { recursive: true })
    await writeFile(join(staging, String(attempt), 'left'), 'x')
  }
  await stageRows(place, fakeTask({ attempt: 2 }))
  const tree = Object.keys(await readTree(staging))
  expect(tree.filter((path) => !path.includes('/')).toSorted()).toEqual(['10', '2'])
  expect(tree).toContain('10/left')
  expect(tree).not.toContain('2/left')
})

test.each(['RE_1', 'RE_../../..', '../RE_00000001', 'RE_00000001\n', 'SD_00000001'])(
  'refuses the release id %j',
  async (releaseId) => {
    const place = await workplace()
    const release = async () => {
      throw new Error('the coordinator was asked')
    }
    const task = fakeTask({ releaseId })
    const staging = stageRows(place, { ...task, coordinator: { ...task.coordinator, release } })
    await expect(staging).rejects.toThrow(InvalidId)
    await expect(readTree(place.root)).rejects.toThrow('ENOENT')
  },
)

test.each(['SD_1', '../SD_00000001', 'SD_0000000/', 'RE_00000001'])(
  'refuses the study id %j',
  async (study) => {
    const place = await workplace()
    const staging = stageRows(place, fakeTask({ studies: ['SD_00000001', study] }))
    await expect(staging).rejects.toThrow(InvalidId)
    await expect(staging).rejects.toThrow('is not a study id')
    await expect(readTree(place.root)).rejects.toThrow('ENOENT')
  },
)
