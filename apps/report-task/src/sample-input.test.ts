import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { temporaryFolder } from '@release-task/release-folder/testing'
import { expect, onTestFinished, test } from 'vitest'

const CHILD = fileURLToPath(new URL('testing/stage-child.ts', import.meta.url))
const REPORT = new URL('task.ts', import.meta.url).href
/** Another task that reads the same sample input; it is started here, not imported. */
const REFERENCE = new URL('../../reference-task/src/task.ts', import.meta.url).href

interface Stager {
  readonly process: ChildProcess
  /** All that it printed, once it is gone. */
  readonly ended: Promise<string>
  /** Until it stands still in the middle of generating. */
  readonly generating: Promise<void>
}

/** Starts a process that stages with the default settings, in `cwd`. */
function startStaging(cwd: string, file: string, id: string): Stager {
  const args = ['--conditions=development', CHILD, file, id]
  const child = spawn(process.execPath, args, { cwd, env: {}, stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let printed = ''
  const generating = new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString()
      if (printed.includes('generating\n')) resolve()
    })
    child.once('close', () => reject(new Error(`it generated nothing, but printed: ${printed}`)))
  })
  return { process: child, generating, ended: once(child, 'close').then(() => printed) }
}

function goOn(stager: Stager): void {
  stager.process.stdin?.end('\n')
}

function summaryOf(printed: string): unknown {
  return JSON.parse(printed.slice(printed.indexOf('\n') + 1))
}

/** Every row is there, however the folder came to be. */
const REPORTED = { studies: 3, participants: 12_000, biospecimens: 18_000, genomic_files: 70_000 }
const COPIED = { studies: 3, rows: 100_000, bytes: 70_317_801 }

test('two processes that generate the sample input at the same moment both get all of it', async () => {
  const cwd = await temporaryFolder()
  const report = startStaging(cwd, REPORT, 'TA_0000000A')
  const reference = startStaging(cwd, REFERENCE, 'TA_0000000B')
  await Promise.all([report.generating, reference.generating])
  goOn(report)
  goOn(reference)
  const [reported, copied] = await Promise.all([report.ended, reference.ended])
  expect(summaryOf(reported)).toMatchObject(REPORTED)
  expect(summaryOf(copied)).toMatchObject(COPIED)
  expect(await readdir(join(cwd, '.data'))).toEqual(['reference-task', 'report-task', 'sample-input'])
})

test('a process that is killed while it generates leaves nothing that disturbs the other', async () => {
  const cwd = await temporaryFolder()
  const report = startStaging(cwd, REPORT, 'TA_0000000A')
  const reference = startStaging(cwd, REFERENCE, 'TA_0000000B')
  await Promise.all([report.generating, reference.generating])
  reference.process.kill('SIGKILL')
  await reference.ended
  expect(await readdir(join(cwd, '.data'))).toHaveLength(2) // a draft of each
  goOn(report)
  expect(summaryOf(await report.ended)).toMatchObject(REPORTED)
  expect(await readdir(join(cwd, '.data'))).toEqual(['report-task', 'sample-input'])
})
