import { BLOCK, isPolling, type Backend } from './plan.ts'
import { runRound, type Round } from './round.ts'
import { FaultSystem } from './system.ts'

export interface RunOptions {
  readonly seed: number
  readonly rounds: number
  readonly backend: Backend
  /** Rounds that a run before this one has done already. */
  readonly done?: ReadonlySet<number>
  /** Ends the run with the first round that is not as it should be. */
  readonly stopAtFirst?: boolean
  /** Where this process is told to end: the processes of the round end with it. */
  readonly endsAtSignal?: boolean
  readonly told: (round: Round) => void
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/** Runs rounds of consecutive seeds. Those of one block share their processes, unless one of them went wrong. */
export async function runRounds(options: RunOptions): Promise<void> {
  const { seed, rounds, backend, done = new Set() } = options
  let system: FaultSystem | null = null
  const end = async () => {
    await system?.end()
    system = null
  }
  const endAtOnce = () => void end().finally(() => process.exit(130))
  if (options.endsAtSignal) for (const signal of SIGNALS) process.once(signal, endAtOnce)
  try {
    for (let next = seed; next < seed + rounds; next++) {
      if (next % BLOCK === 0) await end()
      if (done.has(next)) continue
      // Known before it has started: whoever is told to end meanwhile ends what it has so far.
      if (!system) await (system = new FaultSystem({ backend, isPolling: isPolling(next) })).start()
      const round = await runRound(system, next)
      options.told(round)
      if (round.violations.length === 0) continue
      if (options.stopAtFirst) return
      await end()
    }
  } finally {
    for (const signal of SIGNALS) process.off(signal, endAtOnce)
    await end()
  }
}
