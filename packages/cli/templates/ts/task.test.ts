import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { killAtEveryMoment, testTask } from 'release-task/testing'
import task from './task.ts'

const open = () => testTask(task, { studies: ['SD_00000001', 'SD_00000002'] })
before(() => process.chdir(mkdtempSync(join(tmpdir(), '{{name}}-'))))

test('nothing is public before publish, everything after it', async () => {
  await using kit = await open()
  await kit.runTo('staged')
  assert.equal(existsSync('out/public'), false)
  await kit.runTo('published')
  const file = `out/public/${(await kit.task()).release_id}.json`
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), ['SD_00000001', 'SD_00000002'])
})

test('whenever it is killed, it ends published', async () => {
  await killAtEveryMoment(open, async (kit) => assert.equal((await kit.task()).state, 'published'))
})

test('a cancel leaves nothing behind', async () => {
  await using kit = await open()
  await kit.runTo('staged')
  await kit.cancel()
  await kit.settle()
  assert.equal(existsSync(`out/staging/${(await kit.task()).release_id}`), false)
})
