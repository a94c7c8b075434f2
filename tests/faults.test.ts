import { absent } from '@release-task/test-servers'
import { describe, expect, test } from 'vitest'
import { describeFault, type Backend } from './faults/plan.ts'
import type { Round } from './faults/round.ts'
import { runRounds } from './faults/run.ts'

// A fixed set of short rounds: `npm run faults` runs as many as you like.
const ROUNDS = 5
const SETS: readonly { backend: Backend; seed: number }[] = [
  // With what a coordinator does where it polls, and where every report must arrive by itself.
  { backend: 'sqlite', seed: 1010 },
  // Seed 2 found a claim that was kept for a minute by a coordinator whose database had gone away.
  { backend: 'full', seed: 0 },
]

const isSkipped = (backend: Backend) => backend === 'full' && (absent('postgresql') || absent('redis'))

describe.each(SETS)('$backend', ({ backend, seed }) => {
  test.skipIf(isSkipped(backend))(
    `${ROUNDS} rounds of faults: nothing is lost, doubled, or public at the wrong time`,
    async () => {
      const rounds: Round[] = []
      await runRounds({ backend, seed, rounds: ROUNDS, told: (round) => rounds.push(round) })
      const wrong = rounds.filter((round) => round.violations.length > 0).map(tell)
      expect(wrong).toEqual([])
      expect(rounds).toHaveLength(ROUNDS)
      // Whether anything was done to them at all.
      const ends = rounds.flatMap((round) => round.ends.map((end) => end.state))
      expect(new Set(ends)).toContain('published')
      const fates = rounds.flatMap(({ history }) =>
        history.filter((line) => line.type === 'http' && line.fate !== 'pass'),
      )
      expect(fates.length).toBeGreaterThan(0)
    },
    5 * 60_000,
  )
})

function tell({ plan, violations }: Round) {
  return { seed: plan.seed, violations, faults: plan.faults.map((fault) => describeFault(fault)) }
}
