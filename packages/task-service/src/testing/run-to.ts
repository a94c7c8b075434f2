import type { Kit } from './kit.ts'
import { NoAnswer } from './task-kit.ts'

const MOST_MS = 60 * 60 * 1000 // 1 h

/** Plays the coordinator and whoever starts dead processes, until the coordinator knows that the task is so far. */
export async function runTo(kit: Kit, end: 'staged' | 'published'): Promise<void> {
  const limit = kit.now.getTime() + MOST_MS
  for (;;) {
    if (!kit.isAlive) await kit.processes.begin()
    await sendNextAction(kit, end)
    if (kit.isAlive) await kit.settle()
    if (!kit.isAlive) continue
    if (await isKnown(kit, end)) return
    if (await awaitsAction(kit, end)) continue
    const next = await kit.schedule.nextAt()
    if (next === null || next > limit) throw await stuck(kit, end)
    kit.schedule.moveTo(next)
  }
}

const ACTION_IN = { '': 'initialize', pending: 'start', staged: 'publish' } as const

async function nextAction(kit: Kit, end: 'staged' | 'published') {
  const state = (await kit.record())?.state ?? ''
  if (state === end || !(state in ACTION_IN)) return null
  // Nobody publishes what the coordinator does not know to be staged.
  if (state === 'staged' && kit.coordinator.shows !== 'staged') return null
  return ACTION_IN[state as keyof typeof ACTION_IN]
}

const awaitsAction = async (kit: Kit, end: 'staged' | 'published') => (await nextAction(kit, end)) !== null

async function sendNextAction(kit: Kit, end: 'staged' | 'published'): Promise<void> {
  const action = await nextAction(kit, end)
  if (!action) return
  try {
    await kit[action]()
  } catch (error) {
    // What is stored is seen in the next round.
    if (!(error instanceof NoAnswer)) throw error
  }
}

async function isKnown(kit: Kit, end: 'staged' | 'published'): Promise<boolean> {
  return (await kit.record())?.state === end && kit.coordinator.shows === end
}

async function stuck(kit: Kit, end: 'staged' | 'published'): Promise<Error> {
  const { state, last_error: error, waiting_for: waiting } = await kit.task()
  const why = error?.message ?? waiting?.what ?? 'it has ended'
  return new Error(`The task does not get ${end}: it is ${state} (${why})`)
}
