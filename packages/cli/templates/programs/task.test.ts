import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { testTask } from 'release-task/testing'
import task from './task.ts'

const folder = mkdtempSync(join(tmpdir(), '{{name}}-'))
const open = () => testTask(task, { studies: ['SD_00000001', 'SD_00000002'], env: { RELEASE_DIR: folder } })

test('nothing is public before publish, everything after it', async () => {
  await using kit = await open()
  const file = () => join(folder, 'public', `${id}.json`)
  await kit.runTo('staged')
  const { release_id: id } = await kit.task()
  assert.equal(existsSync(file()), false)
  await kit.runTo('published')
  assert.deepEqual(JSON.parse(readFileSync(file(), 'utf8')), ['SD_00000001', 'SD_00000002'])
})

test('a cancel leaves nothing public', async () => {
  await using kit = await open()
  await kit.runTo('staged')
  await kit.cancel()
  await kit.settle()
  assert.equal((await kit.task()).cleanup, 'done')
})
