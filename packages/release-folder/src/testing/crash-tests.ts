import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

import { describe, expect, test } from 'vitest'

import { backdate } from './backdate.ts'
import { type FileSystem, nodeFileSystem } from '../file-system.ts'
import type { Retention } from '../retention.ts'
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
 * new attempt, and those that follow; the tree must be the one that undisturbed runs leave. Where a case is crowded,
 * there is more than the settings keep: what is too much goes, and no crash may leave half of it for readers.
 */
const KILL_EVERY = 9

interface Case {
  readonly before: readonly Phase[]
  readonly crashed: Phase
  readonly next: readonly Phase[]
  readonly leaves: 'published' | 'nothing'
  readonly crowded?: boolean
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

const CROWDED: readonly Case[] = [
  { before: [], crashed: 'stage', next: ['stage', 'publish'], leaves: 'published', crowded: true },
  { before: ['stage'], crashed: 'publish', next: ['publish'], leaves: 'published', crowded: true },
  { before: ['stage'], crashed: 'publish', next: ['discard publishing'], leaves: 'nothing', crowded: true },
]

const KEEP_FEW: Retention = { keepPublished: 2, keepLeftovers: 24 * 60 * 60 * 1000 } // 1 d
/** What KEEP_FEW is too little for: a published release, and what another left in staging. */
const SURPLUS = /RE_0000000[WX]/

const fast = withoutSync(nodeFileSystem)

/** Folders `nothing` (only another release is public, which no crash may harm), `published`, and `before`. */
class Home {
  readonly #folder: string
  readonly #phases: string
  readonly #crowded: boolean

  private constructor(folder: string, phases: string, crowded: boolean) {
    this.#folder = folder
    this.#phases = phases
    this.#crowded = crowded
  }

  static async open({ phases, writeSource }: TaskUnderTest, crowded: boolean): Promise<Home> {
    const folder = await temporaryFolder()
    await writeSource(join(folder, 'source'))
    return new Home(folder, phases.href, crowded)
  }

  scenario(name: string): Scenario {
    return {
      phases: this.#phases,
      root: join(this.#folder, name),
      source: join(this.#folder, 'source'),
      releaseId: 'RE_0000000A',
      studies: ['SD_00000001'],
      now: this.#crowded ? '2099-06-01' : '2024-06-01', // late enough for files of today to be old
      ...(this.#crowded && { retention: KEEP_FEW }),
    }
  }

  /** Puts another release there, as it was at that time and without any tidying up. */
  async add(name: string, releaseId: string, now: string, phases: readonly Phase[]): Promise<void> {
    const { retention: _, ...scenario } = this.scenario(name)
    await runPhases(fast, { ...scenario, releaseId, now }, phases, START)
    if (phases.includes('publish')) await backdate(scenario.root, releaseId, now)
  }

  async copy(from: string, to: string): Promise<Scenario> {
    await copyTree(join(this.#folder, from), join(this.#folder, to))
    return this.scenario(to)
  }
}

interface Prepared {
  readonly home: Home
  readonly standing: Standing
  /** Before the phase that crashes. */
  readonly undisturbed: Tree
  /** The calls that the phase makes where nothing disturbs it. */
  readonly calls: readonly string[]
  readonly expected: Tree
}

async function prepare(
  task: TaskUnderTest,
  { before, crashed, leaves, crowded = false }: Case,
): Promise<Prepared> {
  const home = await Home.open(task, crowded)
  await home.add('nothing', 'RE_0000000Z', '2024-01-01', ['stage', 'publish'])
  if (crowded) await addSurplus(home)
  await runPhases(fast, await home.copy('nothing', 'published'), ['stage', 'publish'], START)
  const standing = await runPhases(fast, await home.copy('nothing', 'before'), before, START)
  const undisturbed = await readTree(home.scenario('before').root)
  const calls: string[] = []
  const counting = watchedFileSystem(fast, ({ name, path }) => void calls.push(`${name} ${path}`))
  await runPhases(counting, await home.copy('before', 'counted'), [crashed], standing)
  const left = await readTree(home.scenario(leaves).root)
  if (leaves === 'published') expect(Object.keys(left).filter((path) => SURPLUS.test(path))).toEqual([])
  return {
    home,
    standing,
    undisturbed,
    calls,
    expected: leaves === 'published' ? left : withoutSurplus(left),
  }
}

async function addSurplus(home: Home): Promise<void> {
  await home.add('nothing', 'RE_0000000X', '2023-01-01', ['stage', 'publish'])
  await home.add('nothing', 'RE_0000000W', '2023-03-01', ['stage'])
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
  { home, standing, undisturbed }: Prepared,
  { crashed, next, leaves }: Case,
  crash: Crash,
  killAt: number,
) {
  const scenario = await home.copy('before', `run-${killAt}`)
  await crash(scenario, crashed, standing, killAt)
  expectWholeReleases(await readTree(scenario.root), undisturbed)
  await runPhases(fast, scenario, next, { ...standing, attempt: standing.attempt + 1 })
  const tree = await readTree(scenario.root)
  return leaves === 'published' ? tree : withoutSurplus(tree)
}

/** Readers find each release as it was, or not at all, and a link that leads somewhere. */
function expectWholeReleases(tree: Tree, before: Tree): void {
  const target = tree['public/latest']?.replace('link to ', 'public/')
  expect(tree[target ?? '']).toBe('folder')
  for (const id of ['RE_0000000X', 'RE_0000000Z']) {
    const below = (paths: Tree) => Object.keys(paths).filter((path) => path.startsWith(`public/${id}`))
    if (below(tree).length > 0) expect(below(tree)).toEqual(below(before))
  }
}

/** Where the release is taken back it depends on the moment of the crash whether it has removed anything by then. */
const withoutSurplus = (tree: Tree): Tree =>
  Object.fromEntries(Object.entries(tree).filter(([path]) => !SURPLUS.test(path)))

/** Declares the tests: every way to crash in every phase of the task. */
export function crashTests(task: TaskUnderTest): void {
  declareTests(task, CASES)
}

/** The same where other releases are removed on the way: that is the same code for every task. */
export function crowdedCrashTests(task: TaskUnderTest): void {
  declareTests(task, CROWDED)
}

function declareTests(task: TaskUnderTest, cases: readonly Case[]): void {
  describe.each(cases)('after $before, $crashed crashes, then $next', (each) => {
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
