import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

import { describe, expect, test } from 'vitest'

import { type FileSystem, nodeFileSystem } from '../file-system.ts'
import type { ChildOrder } from './crash-child.ts'
import type { TaskUnderTest } from './phases.ts'
import { type Phase, runPhases, type Scenario, type Standing, START } from './scenario.ts'
import { temporaryFolder } from './temporary-folder.ts'
import { copyTree, readTree, type Tree } from './tree.ts'
import { watchedFileSystem, withoutSync } from './watched-file-system.ts'

/*
 * Crash at any line, in two ways. "Ended": in this process, before every call of the file system in turn; that
 * call throws and so does every later one. "Killed": a process of its own really kills itself by SIGKILL, before
 * every ninth call. In both ways a write that is hit leaves half of its bytes. Then the phase is run again, as a
 * new attempt, and those that follow; the tree must be the one that undisturbed runs leave.
 */
const KILL_EVERY = 9

interface Case {
  readonly before: readonly Phase[]
  readonly crashed: Phase
  readonly next: readonly Phase[]
  readonly leaves: 'published' | 'nothing'
}

const CASES: readonly Case[] = [
  { before: [], crashed: 'stage', next: ['stage', 'publish'], leaves: 'published' },
  { before: ['stage'], crashed: 'stage', next: ['stage', 'publish'], leaves: 'published' },
  { before: ['stage'], crashed: 'publish', next: ['publish'], leaves: 'published' },
  { before: [], crashed: 'stage', next: ['discard running'], leaves: 'nothing' },
  { before: ['stage'], crashed: 'publish', next: ['discard publishing'], leaves: 'nothing' },
  { before: ['stage'], crashed: 'discard staged', next: ['discard staged'], leaves: 'nothing' },
  {
    before: ['stage', 'publish'],
    crashed: 'discard publishing',
    next: ['discard publishing'],
    leaves: 'nothing',
  },
]

const fast = withoutSync(nodeFileSystem)

/** Folders `nothing` (only another release is public, which no crash may harm), `published`, and `before`. */
class Home {
  readonly #folder: string
  readonly #phases: string

  private constructor(folder: string, phases: string) {
    this.#folder = folder
    this.#phases = phases
  }

  static async open({ phases, writeSource }: TaskUnderTest): Promise<Home> {
    const folder = await temporaryFolder()
    await writeSource(join(folder, 'source'))
    return new Home(folder, phases.href)
  }

  scenario(name: string): Scenario {
    return {
      phases: this.#phases,
      root: join(this.#folder, name),
      source: join(this.#folder, 'source'),
      releaseId: 'RE_0000000A',
      studies: ['SD_00000001'],
      now: '2024-06-01',
    }
  }

  async copy(from: string, to: string): Promise<Scenario> {
    await copyTree(join(this.#folder, from), join(this.#folder, to))
    return this.scenario(to)
  }
}

interface Prepared {
  readonly home: Home
  readonly standing: Standing
  /** The calls that the phase makes where nothing disturbs it. */
  readonly calls: readonly string[]
  readonly expected: Tree
}

async function prepare(task: TaskUnderTest, { before, crashed, leaves }: Case): Promise<Prepared> {
  const home = await Home.open(task)
  const other = { ...home.scenario('nothing'), releaseId: 'RE_0000000Z', now: '2024-01-01' }
  await runPhases(fast, other, ['stage', 'publish'], START)
  await runPhases(fast, await home.copy('nothing', 'published'), ['stage', 'publish'], START)
  const standing = await runPhases(fast, await home.copy('nothing', 'before'), before, START)
  const calls: string[] = []
  const counting = watchedFileSystem(fast, ({ name, path }) => void calls.push(`${name} ${path}`))
  await runPhases(counting, await home.copy('before', 'counted'), [crashed], standing)
  return { home, standing, calls, expected: await readTree(home.scenario(leaves).root) }
}

type Crash = (scenario: Scenario, phase: Phase, standing: Standing, killAt: number) => Promise<void>

class ProcessEnded extends Error {}

const ended: Crash = async (scenario, phase, standing, killAt) => {
  await expect(runPhases(endingAt(killAt), scenario, [phase], standing)).rejects.toThrow(ProcessEnded)
}

/** From its n-th call on it does nothing any more, as for a process that is gone. */
function endingAt(killAt: number): FileSystem {
  let calls = 0
  return watchedFileSystem(fast, async (call) => {
    if (++calls < killAt) return
    if (calls === killAt) await call.half?.()
    throw new ProcessEnded()
  })
}

const CHILD = fileURLToPath(new URL('crash-child.ts', import.meta.url))

const killed: Crash = async (scenario, phase, standing, killAt) => {
  const order: ChildOrder = { scenario, phase, standing, killAt }
  const child = spawn(process.execPath, ['--conditions=development', CHILD, JSON.stringify(order)])
  const [trouble, [, signal]] = await Promise.all([text(child.stderr), once(child, 'exit')])
  expect(signal, trouble).toBe('SIGKILL')
}

async function afterCrash(
  { home, standing }: Prepared,
  { crashed, next }: Case,
  crash: Crash,
  killAt: number,
) {
  const scenario = await home.copy('before', `run-${killAt}`)
  await crash(scenario, crashed, standing, killAt)
  await runPhases(fast, scenario, next, { ...standing, attempt: standing.attempt + 1 })
  return await readTree(scenario.root)
}

/** Declares the tests: every way to crash in every phase of the task. */
export function crashTests(task: TaskUnderTest): void {
  describe.each(CASES)('after $before, $crashed crashes, then $next', (each) => {
    test('ended before each call of the file system in turn', async () => {
      const prepared = await prepare(task, each)
      expect(prepared.calls.length).toBeGreaterThan(20)
      for (const [at, call] of prepared.calls.entries())
        expect(await afterCrash(prepared, each, ended, at + 1), `ended before ${call}`).toEqual(
          prepared.expected,
        )
    })

    test('a process killed before every ninth call', async () => {
      const prepared = await prepare(task, each)
      for (let at = 0; at < prepared.calls.length; at += KILL_EVERY)
        expect(
          await afterCrash(prepared, each, killed, at + 1),
          `killed before ${prepared.calls[at]}`,
        ).toEqual(prepared.expected)
    })
  })
}
