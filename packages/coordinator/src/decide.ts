import { isFinalRelease } from '@release-task/protocol'
import {
  changeOf,
  moveRelease,
  releaseEvent,
  send,
  taskEvent,
  withEffects,
  withRelease,
  type Change,
} from './change.ts'
import { decideAnswer } from './decide-answer.ts'
import { toldForMs } from './decide-deadlines.ts'
import { decideLost, decidePoll, decideReport } from './decide-word.ts'
import { decideTick, nextLook } from './decide-tick.ts'
import type { Command, Decision, Moment, NewTask, ReleaseFields } from './decision.ts'
import { NO_DEADLINES, type CoordinatorTask, type ReleaseRecord } from './record.ts'
import { publishAll, settle, warnIfNobody } from './settle.ts'
import { stopRelease } from './stop.ts'
import { candidateVersion } from './version.ts'

type Of<T extends Command['type']> = Extract<Command, { type: T }>

/**
 * The whole protocol of the coordinator: what becomes of a release, its tasks included, when something happens to
 * it. Pure: no clock, no storage, no ids of its own.
 */
export function decide(record: ReleaseRecord | null, command: Command, moment: Moment): Decision {
  if (command.type === 'create') return finish(create(command, moment))
  if (!record) return { kind: 'refused', refusal: { code: 'NOT_FOUND' }, effects: [] }
  const change = changeOf(record, moment)
  switch (command.type) {
    case 'begin':
      return record.state === 'waiting' ? finish(begin(change, command)) : { kind: 'unchanged' }
    case 'edit':
      return decideEdit(record, command, moment)
    case 'publish':
      return decidePublish(change)
    case 'cancel':
      return decideCancel(change)
    case 'answer':
      return settled(decideAnswer(change, command))
    case 'report':
      return settled(decideReport(change, command))
    case 'poll':
      return settled(decidePoll(change, command))
    case 'lost':
      return settled(decideLost(change, command))
    case 'tick':
      return settled(decideTick(change))
  }
}

function finish(change: Change): Decision {
  const { release, effects } = settle(change)
  const next = { ...release, dueAt: nextLook(release, change.moment) }
  return { kind: 'next', next: { ...next, revision: release.revision + 1 }, effects }
}

function settled(result: Change | Decision): Decision {
  return 'kind' in result ? result : finish(result)
}

function create({ id, fields, overlapping }: Of<'create'>, moment: Moment): Change {
  const { now, latestVersion } = moment
  const version = candidateVersion(latestVersion)
  const release: ReleaseRecord = {
    id,
    revision: 0,
    ...fields,
    state: 'waiting',
    version,
    createdAt: now,
    since: now,
    dueAt: now,
    outcome: null,
    reason: null,
    stoppedFrom: null,
    needsAttention: false,
    tasks: [],
  }
  const numbered = withEffects(changeOf(release, moment), {
    type: 'version',
    from: latestVersion,
    to: version,
  })
  if (overlapping.length === 0) return numbered
  const message = `release ${id} shares studies with releases under way: ${overlapping.join(', ')}`
  return releaseEvent(numbered, 'warning', message)
}

/** All tasks at once, in one transaction, so that "all are initialized" never means "all that exist so far" (F-06). */
function begin(change: Change, { tasks }: Of<'begin'>): Change {
  const { now, policy } = change.moment
  const created = withRelease(change, { tasks: tasks.map((task) => newTask(task, now)) })
  const begun = warnIfNobody(moveRelease(created, 'initializing'))
  return tasks.reduce(
    (so, task) =>
      send(warnIfDown(so, task), task.id, 'initialize', toldForMs(task.deadlines, policy.actionDeadlineMs)),
    begun,
  )
}

function newTask({ id, serviceId, deadlines = NO_DEADLINES }: NewTask, now: number): CoordinatorTask {
  return {
    id,
    serviceId,
    state: 'waiting',
    progress: 0,
    message: null,
    summary: null,
    attempt: null,
    lastError: null,
    needsAttention: false,
    cancelPending: false,
    createdAt: now,
    since: now,
    lastActivityAt: now,
    deadlines,
    overdue: null,
  }
}

/** Health never keeps a service out of a release (RC-36). */
function warnIfDown(change: Change, { id, serviceId, down }: NewTask): Change {
  if (!down) return change
  return taskEvent(change, id, 'warning', `task service ${serviceId} is down, and joins with task ${id}`)
}

function decidePublish(change: Change): Decision {
  const { state } = change.release
  if (state === 'staged') return finish(publishAll(change))
  const message = `The release in state ${state} may not be published.`
  return { kind: 'refused', refusal: { code: 'STATE_CONFLICT', message }, effects: [] }
}

/** A repeated cancel, or one of what has ended, is no error and changes nothing (CR-20). */
function decideCancel(change: Change): Decision {
  const { state } = change.release
  if (isFinalRelease(state) || state === 'canceling') return { kind: 'unchanged' }
  return finish(stopRelease(change, 'canceled', 'canceled by a person'))
}

/** What every task was told must stay what it was told: only the description changes later (RC-37). */
function decideEdit(record: ReleaseRecord, { fields }: Of<'edit'>, moment: Moment): Decision {
  const changed = (Object.keys(fields) as (keyof ReleaseFields)[]).filter(
    (field) => textOf(field, fields[field]) !== textOf(field, record[field]),
  )
  if (changed.length === 0) return { kind: 'unchanged' }
  const fixed = changed.find((field) => field !== 'description')
  if (record.state === 'waiting' || fixed === undefined) {
    const edited = Object.fromEntries(changed.map((field) => [field, fields[field]]))
    return finish(withRelease(changeOf(record, moment), edited))
  }
  const message = `This field may not be changed once the release is ${record.state}.`
  return { kind: 'refused', refusal: { code: 'FIELD_FIXED', field: fixed, message }, effects: [] }
}

/** Studies are a set: the same ones in another order are no change. */
function textOf(field: keyof ReleaseFields, value: ReleaseFields[keyof ReleaseFields] | undefined): string {
  const isSet = field === 'studies' && Array.isArray(value)
  return JSON.stringify(isSet ? value.toSorted() : value)
}
