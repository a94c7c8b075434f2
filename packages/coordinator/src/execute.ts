import type { Logger } from '@release-task/http'
import type { ReleaseId } from '@release-task/protocol'
import type { AuditEntry } from './audit-store.ts'
import { decide } from './decide.ts'
import type { Command, Decision, Effect, Policy } from './decision.ts'
import type { ReleaseRecord } from './record.ts'
import type { Change, Loaded, Recorded, ReleaseStore } from './store.ts'

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
export type Execute = (
  id: ReleaseId,
  command: Command | (() => Promise<Command>),
  by?: Asked | null,
) => Promise<Executed>

/** Who asked for a command; nobody but the coordinator itself where it is not given. */
export interface Asked {
  readonly actor: string
  /** What is kept of it in the audit trail if it changes something; null: only the events name who it was. */
  readonly audit: Pick<AuditEntry, 'action' | 'detail'> | null
}

export interface ExecuteDependencies {
  readonly store: ReleaseStore
  readonly policy: Policy
  /** There may be an action to send. */
  readonly actionsChanged: () => void
  /** A release may have to be looked at. */
  readonly releasesChanged: () => void
  /** Events were written. */
  readonly eventsChanged: () => void
  readonly log: Logger
}

interface Waiting {
  readonly given: Command | (() => Promise<Command>)
  readonly by: Asked | null
  readonly resolve: (executed: Executed) => void
  readonly reject: (error: unknown) => void
}

/**
 * Commands of one release that come while another one of it is being stored are decided together, each on what the
 * one before made of the release, and stored in one commit: a hundred answers at once cost a few commits and not a
 * hundred. Between processes the revision alone decides.
 */
export function createExecute(deps: ExecuteDependencies): Execute {
  const lines = new Map<ReleaseId, Waiting[]>()
  return (id, given, by = NOBODY) =>
    new Promise((resolve, reject) => {
      const line = lines.get(id)
      const waiting = { given, by, resolve, reject }
      if (line) return void line.push(waiting)
      lines.set(id, [waiting])
      void serve(deps, id, lines)
    })
}

/** Serves the line of a release until nobody stands in it. */
async function serve(
  deps: ExecuteDependencies,
  id: ReleaseId,
  lines: Map<ReleaseId, Waiting[]>,
): Promise<void> {
  for (let group = lines.get(id); group && group.length > 0; group = lines.get(id)) {
    lines.set(id, [])
    try {
      await runTogether(deps, id, group)
    } catch (error) {
      for (const waiting of group) waiting.reject(error)
    }
  }
  lines.delete(id)
}

async function runTogether(
  deps: ExecuteDependencies,
  id: ReleaseId,
  group: readonly Waiting[],
): Promise<void> {
  for (let tries = 0; tries <= MOST_TRIES; tries++) {
    const loaded = await deps.store.load(id)
    // After the load: what another release changes from here on makes the commit a conflict.
    const commands = await Promise.all(
      group.map(async ({ given }) => (typeof given === 'function' ? given() : given)),
    )
    const asked = group.map((waiting, index) => ({ command: commands[index]!, by: waiting.by }))
    const folded = fold(asked, loaded, deps.policy)
    if (folded.stored && (await deps.store.commit({ id, now: loaded.now, ...folded.stored })) === 'conflict')
      continue
    after(deps, id, loaded.record, folded)
    for (const [index, waiting] of group.entries()) settle(waiting, folded.results[index])
    return
  }
  throw new Error(`Release ${id} changed ${MOST_TRIES} times while a command was decided`)
}

type Result = Executed | { readonly error: unknown }

interface Folded {
  readonly results: readonly Result[]
  readonly record: ReleaseRecord | null
  readonly effects: readonly Recorded[]
  /** null: nothing of it changes anything. */
  readonly stored: Pick<Change, 'before' | 'next' | 'effects' | 'audits'> | null
}

const NOBODY = null

/** Events say who caused them. */
function namedBy(by: Asked | null, effects: readonly Effect[]): Recorded[] {
  return effects.map((effect) => (by && effect.type === 'event' ? { ...effect, actor: by.actor } : effect))
}

/** Decides one command after the other. One that cannot be decided is a mistake of ours, and only its own. */
function fold(
  asked: readonly { readonly command: Command; readonly by: Asked | null }[],
  { record: before, now, latestVersion }: Loaded,
  policy: Policy,
): Folded {
  let record = before
  const effects: Recorded[] = []
  const audits: AuditEntry[] = []
  const results = asked.map(({ command, by }): Result => {
    try {
      const decision = decide(record, command, { now, latestVersion, policy })
      if (decision.kind === 'next') record = decision.next
      if (decision.kind === 'next' && by?.audit)
        audits.push({ ...by.audit, actor: by.actor, subject: decision.next.id })
      if (decision.kind !== 'unchanged') effects.push(...namedBy(by, decision.effects))
      return { decision, record }
    } catch (error) {
      return { error }
    }
  })
  const next = record === before ? null : record
  // A new release must not be there yet, whatever was loaded.
  const first = asked[0]?.command.type === 'create' ? null : before
  return {
    results,
    record,
    effects,
    stored: next || effects.length > 0 ? { before: first, next, effects, audits } : null,
  }
}

const LOG_LEVEL = { info: 'info', warning: 'warn', error: 'error' } as const

function after(
  deps: ExecuteDependencies,
  id: ReleaseId,
  before: ReleaseRecord | null,
  { record, effects, stored }: Folded,
): void {
  for (const effect of effects) {
    if (effect.type !== 'event') continue
    const about = { release_id: id, task_id: effect.taskId, task_service_id: effect.serviceId }
    deps.log[LOG_LEVEL[effect.eventType]](about, effect.message)
  }
  if (effects.some((effect) => effect.type === 'send')) deps.actionsChanged()
  if (effects.some((effect) => effect.type === 'event')) deps.eventsChanged()
  if (stored?.next && record?.dueAt !== before?.dueAt) deps.releasesChanged()
}

function settle(waiting: Waiting, result: Result | undefined): void {
  if (result && !('error' in result)) waiting.resolve(result)
  else waiting.reject(result?.error)
}
