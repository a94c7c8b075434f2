import { act } from './adversary.ts'
import { gather } from './evidence.ts'
import type { HistoryLine } from './history.ts'
import { judge, type Ended, type Violation } from './judge.ts'
import { runRelease, type Outcome } from './people.ts'
import { planRound, type RoundPlan } from './plan.ts'
import { Random } from './random.ts'
import type { FaultSystem } from './system.ts'

/** After the last fault everything must come to its end within this time. */
export const PATIENCE_MS = 45 * 1000 // 45 s

export interface Round {
  readonly plan: RoundPlan
  readonly ms: number
  /** From the last fault to the end of everything. */
  readonly settledMs: number
  readonly ends: readonly Ended[]
  readonly violations: readonly Violation[]
  readonly history: readonly HistoryLine[]
}

/** Runs the releases of a plan through the system while its faults happen, and judges what came of it. */
export async function runRound(system: FaultSystem, seed: number): Promise<Round> {
  const plan = planRound(seed, system.options.backend)
  const began = performance.now()
  const from = system.mark()
  system.random = new Random(seed + 1)
  const patience = new AbortController()
  const outcomes = Promise.all(plan.releases.map((release) => runRelease(system, release, patience.signal)))
  await act(system, plan.faults)
  const quiet = performance.now()
  const timer = setTimeout(() => patience.abort(), PATIENCE_MS)
  const ends = await Promise.all((await outcomes).map((outcome) => end(system, outcome, patience.signal)))
  clearTimeout(timer)
  // What was done in earlier rounds explains what arrives late in this one.
  const violations = judge(system.history(0), ends)
  const settledMs = performance.now() - quiet
  return { plan, ms: performance.now() - began, settledMs, ends, violations, history: system.history(from) }
}

async function end(system: FaultSystem, { plan, id, state }: Outcome, until: AbortSignal): Promise<Ended> {
  const { intent } = plan
  if (id === null) return { intent, id, state, evidence: null }
  const evidence = await gather(system, id, until).catch(() => null)
  return { intent, id, state, evidence }
}
