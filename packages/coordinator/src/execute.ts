import type { ReleaseId } from '@release-task/protocol'
import { decide } from './decide.ts'
import type { Command, Decision, Policy } from './decision.ts'
import type { ReleaseRecord } from './record.ts'
import type { ReleaseStore } from './store.ts'

const MOST_TRIES = 1000

export interface Executed {
  readonly decision: Decision
  /** The release after the decision; null where there is none. */
  readonly record: ReleaseRecord | null
}

/**
 * Runs a command on a release: load, decide, commit, and again while somebody else was faster. A command that
 * depends on more than the release is given as a function, and made anew for each try.
 */
export type Execute = (id: ReleaseId, command: Command | (() => Promise<Command>)) => Promise<Executed>

export interface ExecuteDependencies {
  readonly store: ReleaseStore
  readonly policy: Policy
  /** There may be an action to send. */
  readonly actionsChanged: () => void
  /** A release may have to be looked at. */
  readonly releasesChanged: () => void
}

export function createExecute(deps: ExecuteDependencies): Execute {
  const line = new Map<string, Promise<unknown>>()
  // Commands of one release queue up here: a hundred answers at once would otherwise overtake each other all the
  // time. Between processes the revision alone decides.
  return (id, command) => {
    const turn = (line.get(id) ?? Promise.resolve()).then(() => run(deps, id, command))
    const ended = turn.catch(() => undefined)
    line.set(id, ended)
    void ended.then(() => {
      if (line.get(id) === ended) line.delete(id)
    })
    return turn
  }
}

async function run(
  deps: ExecuteDependencies,
  id: ReleaseId,
  given: Command | (() => Promise<Command>),
): Promise<Executed> {
  for (let tries = 0; ; tries++) {
    const { record, now, latestVersion } = await deps.store.load(id)
    // After the load: what another release changes from here on makes the commit a conflict.
    const command = typeof given === 'function' ? await given() : given
    const decision = decide(record, command, { now, latestVersion, policy: deps.policy })
    const next = decision.kind === 'next' ? decision.next : null
    const effects = decision.kind === 'unchanged' ? [] : decision.effects
    if (!next && effects.length === 0) return { decision, record }
    const before = command.type === 'create' ? null : record
    if ((await deps.store.commit({ id, before, next, effects, now })) === 'committed') {
      if (effects.some((effect) => effect.type === 'send')) deps.actionsChanged()
      if (next && next.dueAt !== record?.dueAt) deps.releasesChanged()
      return { decision, record: next ?? record }
    }
    if (tries === MOST_TRIES)
      throw new Error(`Release ${id} changed ${MOST_TRIES} times while "${command.type}" was decided`)
  }
}
