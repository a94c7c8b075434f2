import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { isGone } from '@release-task/database'
import type { RunProcesses } from './command-processes.ts'
import { nameOf, runProgram, type Start } from './command-run.ts'
import { latch } from './service.fixture.ts'

function start(program: Start['program'], changes: Partial<Start> = {}) {
  const heard: string[] = []
  const mark = randomUUID()
  const run = runProgram({
    program,
    env: { PATH: process.env['PATH'] ?? '', RELEASE_TASK_RUN: mark },
    cwd: tmpdir(),
    mark,
    graceMs: 5000,
    signal: new AbortController().signal,
    began: async () => undefined,
    hear: async (stream, { text }) => void heard.push(`${stream}: ${text}`),
    ...changes,
  })
  return { run, heard }
}

test('both outputs are heard to their ends; how it ended is told', async () => {
  const { run, heard } = start('echo one; echo two >&2; printf three; exit 7')
  expect(await run).toEqual({ code: 7, signal: null })
  expect(heard.toSorted()).toEqual(['stderr: two', 'stdout: one', 'stdout: three'])
  expect(await start('kill -9 $$').run).toEqual({ code: null, signal: 'SIGKILL' })
})

test('what it says is heard before it has ended, however slowly', async () => {
  const said = latch()
  const heard: string[] = []
  const hear: Start['hear'] = async (_, { text }) => {
    await said.reached
    heard.push(text)
  }
  let ended = false
  const { run } = start('seq 1 5000', { hear })
  void run.then(() => (ended = true))
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(ended).toBe(false)
  said.open()
  await run
  expect(heard).toHaveLength(5000)
})

test('it has not ended before it was noted where it runs', async () => {
  const noted = latch()
  const began: RunProcesses[] = []
  const { run } = start(['sleep', '0.05'], {
    began: async (processes) => {
      began.push(processes)
      await noted.reached
    },
  })
  let ended = false
  void run.then(() => (ended = true))
  await expect.poll(() => isGone(began[0]?.leader?.identity ?? '')).toBe(true)
  await new Promise((resolve) => setTimeout(resolve, 500))
  expect(ended).toBe(false)
  noted.open()
  await run
})

test('told to end it says null, whatever its exit code; also where that was before it began', async () => {
  const stop = new AbortController()
  const hear: Start['hear'] = async () => stop.abort()
  expect(
    await start('trap "exit 0" TERM; echo; while :; do sleep 0.01; done', { hear, signal: stop.signal }).run,
  ).toBe(null)
  expect(await start(['sleep', '100'], { signal: AbortSignal.abort() }).run).toBe(null)
})

test('a place that cannot be noted, and a line that cannot be kept, end it, and are its errors', async () => {
  const fail = () => Promise.reject(new Error('disk is full'))
  await expect(start(['sleep', '100'], { began: fail }).run).rejects.toThrow('disk is full')
  await expect(start('echo; sleep 100', { hear: fail }).run).rejects.toThrow('disk is full')
})

test('a program is named as it was written, and not at any length', () => {
  expect(nameOf('python3 stage.py')).toBe('"python3 stage.py"')
  expect(nameOf(['python3', 'stage.py'])).toBe('"python3 stage.py"')
  expect(nameOf('x'.repeat(1000)).length).toBeLessThanOrEqual(203)
})
