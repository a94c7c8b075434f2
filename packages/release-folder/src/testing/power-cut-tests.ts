import { join } from 'node:path'

import { expect, test } from 'vitest'

import { nodeFileSystem } from '../file-system.ts'
import type { TaskUnderTest } from './phases.ts'
import { PowerCut } from './power-cut.ts'
import { runPhase, type Scenario } from './scenario.ts'
import { temporaryFolder } from './temporary-folder.ts'
import { watchedFileSystem } from './watched-file-system.ts'

async function scene({ phases, writeSource }: TaskUnderTest) {
  const home = await temporaryFolder()
  const source = join(home, 'source')
  await writeSource(source)
  const scenario: Scenario = {
    phases: phases.href,
    root: join(home, 'release'),
    source,
    releaseId: 'RE_0000000A',
    studies: ['SD_00000001'],
    now: '2024-06-01T00:00:00Z',
  }
  return { scenario, cut: new PowerCut(home) }
}

/** Declares the tests: what each phase of the task made or undid survives a power cut. */
export function powerCutTests(task: TaskUnderTest): void {
  test('what stage made survives a power cut once it returns (WK-14)', async () => {
    const { scenario, cut } = await scene(task)
    const fs = watchedFileSystem(nodeFileSystem, cut.note)
    await runPhase(fs, scenario, 'stage', 1, null)
    await runPhase(fs, scenario, 'stage', 2, null)
    expect(cut.losable).toEqual([])
  })

  test('what is published survives a power cut before the link names it, and the link before publish returns', async () => {
    const { scenario, cut } = await scene(task)
    const staged = await runPhase(nodeFileSystem, scenario, 'stage', 1, null)
    let atSwitch: string[] | null = null
    const fs = watchedFileSystem(nodeFileSystem, async (call) => {
      if (call.name === 'link') atSwitch = cut.losable
      await cut.note(call)
    })
    await runPhase(fs, scenario, 'publish', 2, staged)
    expect(atSwitch).toEqual([])
    expect(cut.losable).toEqual([])
  })

  test('what is too much goes file by file only when a power cut cannot bring it back under its name', async () => {
    const { scenario, cut } = await scene(task)
    const other = { ...scenario, releaseId: 'RE_0000000X', now: '2023-01-01' }
    const [old, next, left] = [
      other,
      { ...other, releaseId: 'RE_0000000Y' },
      { ...other, releaseId: 'RE_0000000W' },
    ]
    for (const each of [old, next])
      await runPhase(
        nodeFileSystem,
        each,
        'publish',
        2,
        await runPhase(nodeFileSystem, each, 'stage', 1, null),
      )
    await runPhase(nodeFileSystem, left, 'stage', 1, null)
    let removed = 0
    const fs = watchedFileSystem(nodeFileSystem, async (call) => {
      if (call.name === 'removeFile' && call.path.includes('-others')) {
        removed++
        expect(cut.losable).toEqual([])
      }
      await cut.note(call)
    })
    const crowded = { ...scenario, now: '2099-01-01', retention: { keepPublished: 2, keepLeftovers: 1000 } }
    const staged = await runPhase(fs, crowded, 'stage', 1, null)
    const inStage = removed
    await runPhase(fs, crowded, 'publish', 2, staged)
    expect(inStage).toBeGreaterThan(0)
    expect(removed).toBeGreaterThan(inStage)
    expect(cut.losable).toEqual([])
  })

  test('what was discarded does not come back after a power cut', async () => {
    const { scenario, cut } = await scene(task)
    const staged = await runPhase(nodeFileSystem, scenario, 'stage', 1, null)
    await runPhase(nodeFileSystem, scenario, 'publish', 2, staged)
    await runPhase(nodeFileSystem, scenario, 'stage', 3, null)
    await runPhase(watchedFileSystem(nodeFileSystem, cut.note), scenario, 'discard publishing', 4, staged)
    expect(cut.losable).toEqual([])
  })
}
