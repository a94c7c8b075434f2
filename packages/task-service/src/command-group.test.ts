import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { endRun } from './command-group.ts'
import { leaderOf, membersOf, type RunProcesses } from './command-processes.ts'
import { endEarlier, newRecord, readRecord, writeRecord } from './command-record.ts'

const begun: RunProcesses[] = []
const folders: string[] = []

afterEach(async () => {
  await Promise.all(begun.splice(0).map((run) => endRun({ run, began: true }, 0)))
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

interface Begun {
  readonly run: RunProcesses
  readonly child: ChildProcess
  /** Pids that it printed. */
  readonly pids: number[]
}

/** A shell script that runs as a program does, once it has printed a line of pids. */
async function begin(script: string, env: Record<string, string> = {}): Promise<Begun> {
  const mark = randomUUID()
  const child = spawn('/bin/sh', ['-c', script], {
    detached: true,
    env: { PATH: process.env['PATH'], RELEASE_TASK_RUN: mark, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const run = { mark, leader: leaderOf(child.pid ?? 0) }
  begun.push(run)
  const [line] = (await once(child.stdout ?? child, 'data')) as [Buffer]
  return { run, child, pids: line.toString().trim().split(' ').map(Number) }
}

const left = ({ run }: Begun) => membersOf(run, true)
const seconds = async (work: Promise<unknown>) => {
  const startedAt = performance.now()
  await work
  return (performance.now() - startedAt) / 1000
}

test('ends the whole group with SIGTERM, well before the grace time', async () => {
  const one = await begin('sleep 100 & sleep 100 & echo $$; wait')
  expect(left(one)).toHaveLength(3)
  expect(await seconds(endRun({ run: one.run, began: true }, 60_000))).toBeLessThan(10)
  expect(left(one)).toEqual([])
})

test('who does not listen is killed after the grace time', async () => {
  const one = await begin(`trap '' TERM; sh -c 'trap "" TERM; echo $$; while :; do sleep 0.05; done' & wait`)
  const took = await seconds(endRun({ run: one.run, began: true }, 200))
  expect(took).toBeGreaterThanOrEqual(0.2)
  expect(left(one)).toEqual([])
})

test('children of a leader that has ended are ended too, by whoever knows the mark', async () => {
  const one = await begin('sleep 100 & echo $!; exit 0')
  if (one.child.exitCode === null) await once(one.child, 'exit')
  expect(membersOf(one.run, false)).toEqual(one.pids)
  await endRun({ run: one.run, began: false }, 5000)
  expect(left(one)).toEqual([])
})

test('a child that made itself a group of its own is found by its mark, and one without a mark by the group', async () => {
  const one = await begin('setsid sleep 100 & echo $$; env -i /bin/sleep 100 & wait')
  await expect.poll(() => membersOf(one.run, false).length).toBe(3)
  await endRun({ run: one.run, began: false }, 5000)
  expect(left(one)).toEqual([])
})

test('where the leader has ended, one marked child tells that the group is still the same', async () => {
  const one = await begin('sleep 100 & env -i /bin/sleep 100 & echo $!; exit 0')
  if (one.child.exitCode === null) await once(one.child, 'exit')
  await expect.poll(() => membersOf(one.run, false).length).toBe(2)
  await endRun({ run: one.run, began: false }, 5000)
  expect(left(one)).toEqual([])
})

test('a group is not touched where its number belongs to somebody else by now', async () => {
  const other = await begin('echo $$; sleep 100')
  const pid = other.child.pid ?? 0
  const earlier = { mark: randomUUID(), leader: { pid, identity: null } }
  const reused = { mark: randomUUID(), leader: { pid, identity: `${leaderOf(pid).identity}0` } }
  for (const run of [earlier, reused]) {
    expect(membersOf(run, false)).toEqual([])
    await endRun({ run, began: false }, 0)
  }
  expect(left(other)).not.toEqual([])
})

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'run-'))
  folders.push(made)
  return made
}

const SUCCESSOR = { taskId: 'TA_1', attempt: 3, graceMs: 5000, elsewhere: () => undefined }

/** The record of a run that goes on, with another task, attempt or worker. */
async function recorded(changes: { taskId?: string; attempt?: number; worker?: string | null }) {
  const dir = folder()
  const one = await begin('echo $$; sleep 100')
  const record = newRecord({ taskId: 'TA_1', attempt: 2, mark: one.run.mark })
  await writeRecord(dir, { ...record, ...one.run, ...changes })
  return { dir, one }
}

test('a successor ends earlier attempts of its task, and runs of any task whose worker is gone', async () => {
  const gone = (newRecord({ taskId: '', attempt: 1, mark: '' }).worker ?? '').replace(/\d+$/, '1')
  const earlier = await recorded({})
  const orphan = await recorded({ taskId: 'TA_2', attempt: 9, worker: gone })
  await endEarlier([earlier.dir, orphan.dir, folder()], SUCCESSOR)
  for (const { dir, one } of [earlier, orphan]) {
    expect(left(one)).toEqual([])
    expect(await readRecord(dir)).toBeNull()
  }
})

test('it leaves alone what a later attempt, or a living worker with another task, has begun', async () => {
  const kept = [
    await recorded({ attempt: 3 }),
    await recorded({ attempt: 4 }),
    await recorded({ taskId: 'TA_2' }),
  ]
  await endEarlier(
    kept.map(({ dir }) => dir),
    SUCCESSOR,
  )
  for (const { dir, one } of kept) {
    expect(left(one)).not.toEqual([])
    expect(await readRecord(dir)).not.toBeNull()
  }
})

test('a run on another host cannot be reached: that is said, and its record stays for whoever can', async () => {
  const { dir, one } = await recorded({ worker: 'another boot|1|2' })
  const told: number[] = []
  await endEarlier([dir], { ...SUCCESSOR, elsewhere: ({ attempt }) => void told.push(attempt) })
  expect(told).toEqual([2])
  expect(left(one)).not.toEqual([])
  expect(await readRecord(dir)).not.toBeNull()
})

test('a worker that was killed before it knew the pid left the mark', async () => {
  const { dir, one } = await recorded({})
  await writeRecord(dir, newRecord({ taskId: 'TA_1', attempt: 2, mark: one.run.mark }))
  await endEarlier([dir], SUCCESSOR)
  expect(left(one)).toEqual([])
})
