import { actionCell, cellAnswer, cellCode, type ActionRequest, type TableRow } from '@release-task/protocol'
import { decideClaim } from './decide-claim.ts'
import { checkIntervalMs, decideCoordinatorShows, decideReportRefused } from './decide-coordinator.ts'
import { ended } from './decide-end.ts'
import { decidePerson } from './decide-person.ts'
import { decideWorker } from './decide-worker.ts'
import type { Answer, Command, Decision, Effect, Moment, Refusal } from './decision.ts'
import type { TaskRecord, Work } from './record.ts'

const ANSWER_HOLD_MS = 1000 // 1 s: work waits this long for its action's answer to be written (WK-6)

/**
 * The whole protocol of a task service: what becomes of a task when something happens to it. Pure: no clock, no
 * storage, no chance of its own. Actions follow the table of docs/protocol.md cell by cell.
 */
export function decide(record: TaskRecord | null, command: Command, moment: Moment): Decision {
  if (command.type === 'action') return decideAction(record, command.request, command.version, moment)
  if (!record) return refuse('TASK_NOT_FOUND', 'There is no such task', 404)
  switch (command.type) {
    case 'answered':
      return decideAnswered(record, command.work, moment)
    case 'claim':
      return decideClaim(record, command, moment)
    case 'retry':
    case 'give_up':
      return decidePerson(record, command.type, moment)
    case 'coordinator_shows':
      return decideCoordinatorShows(record, command.state, moment)
    case 'report_refused':
      return decideReportRefused(record, command)
    default:
      return decideWorker(record, command, moment)
  }
}

function rowOf(record: TaskRecord | null): TableRow {
  if (!record) return 'unknown'
  return record.tombstone ? 'tombstone' : record.state
}

function decideAction(
  record: TaskRecord | null,
  request: ActionRequest,
  version: string,
  moment: Moment,
): Decision {
  // TS-8, before anything else.
  if (record && record.releaseId !== request.releaseId) return refuseRelease(record, request)
  const row = rowOf(record)
  const cell = actionCell(row, request.action)
  const answer: Answer = { code: cellCode(cell), state: cellAnswer(row, cell) }
  switch (cell.kind) {
    case 'show':
    case 'replay':
      return { kind: 'unchanged', answer }
    case 'refuse':
      return refuseAction(row, request)
    case 'missing':
      return refuse(
        'TASK_NOT_FOUND',
        `Cannot ${request.action} ${request.taskId}: it was never initialized here`,
        404,
      )
    case 'entomb':
      return entomb(request, moment)
    case 'move':
      return record ? moveTo(record, request, moment, answer) : initialize(request, version, moment, answer)
  }
}

function refuse(code: Refusal, message: string, status: 400 | 404 = 400): Decision {
  return { kind: 'refused', code, message, effects: [], answer: { code: status, state: null } }
}

function refuseAction(row: TableRow, { action, taskId }: ActionRequest): Decision {
  const state = row === 'tombstone' ? 'canceled' : row
  return refuse(
    'ACTION_NOT_LEGAL',
    `Cannot ${action} ${taskId}: its state is ${state}, which does not allow it`,
  )
}

function refuseRelease(record: TaskRecord, { action, taskId, releaseId }: ActionRequest): Decision {
  const message = `Cannot ${action} ${taskId} for release ${releaseId}: it belongs to ${record.releaseId}`
  return refuse('RELEASE_MISMATCH', message)
}

function event(name: string, message: string): Effect {
  return { type: 'event', level: 'info', event: name, message }
}

function fresh(request: ActionRequest, { now, policy }: Moment): TaskRecord {
  return {
    id: request.taskId,
    revision: 1,
    releaseId: request.releaseId,
    studies: request.studies,
    state: 'pending',
    tombstone: false,
    progress: 0,
    bestProgress: 0,
    message: null,
    summary: null,
    staged: null,
    work: null,
    dueAt: null,
    held: false,
    attempt: 0,
    workAttempt: 0,
    lease: null,
    failures: 0,
    crashes: 0,
    lastError: null,
    since: now,
    lastProgressAt: now,
    needsAttention: false,
    endedFrom: null,
    cancelRequestedAt: null,
    cancelAcknowledgedAt: null,
    cleanup: 'none',
    cleanupEndedAt: null,
    missingSince: null,
    checkDueAt: now + checkIntervalMs(policy),
    initializedVersion: null,
    ranVersion: null,
    createdAt: now,
    updatedAt: now,
  }
}

function initialize(request: ActionRequest, version: string, moment: Moment, answer: Answer): Decision {
  const next = { ...fresh(request, moment), initializedVersion: version }
  return { kind: 'next', next, effects: [event('initialized', 'initialize accepted')], answer }
}

/** A cancel that came before its initialize is remembered, so that the initialize finds the task canceled (TS-7, WK-19). */
function entomb(request: ActionRequest, moment: Moment): Decision {
  const refusal = refuse(
    'TASK_NOT_FOUND',
    `Cannot cancel ${request.taskId}: it was never initialized here`,
    404,
  )
  const next: TaskRecord = { ...fresh(request, moment), state: 'canceled', tombstone: true, checkDueAt: null }
  const effects = [event('tombstone', 'cancel arrived before initialize')]
  return { ...refusal, kind: 'refused', next, effects } as Decision
}

function moveTo(before: TaskRecord, request: ActionRequest, moment: Moment, answer: Answer): Decision {
  // Any request may be the first that carries the studies (SV-7).
  const record = { ...before, studies: before.studies ?? request.studies }
  if (request.action === 'start') return begin(record, { state: 'running', work: 'stage' }, moment, answer)
  if (request.action === 'publish')
    return begin(record, { state: 'publishing', work: 'publish' }, moment, answer)
  const { next, effects } = ended(record, 'canceled', moment)
  const told = event('canceled', `cancel accepted while ${record.state}`)
  return { kind: 'next', next, effects: [told, ...effects, { type: 'withdraw_report' }], answer }
}

type Beginning = Pick<TaskRecord, 'state' | 'work'>

/** `start` and `publish`: the work is stored as due in a moment; writing the answer makes it due at once (WK-6). */
function begin(record: TaskRecord, to: Beginning, { now }: Moment, answer: Answer): Decision {
  const next: TaskRecord = {
    ...record,
    ...to,
    revision: record.revision + 1,
    progress: 0,
    bestProgress: 0,
    message: null,
    dueAt: now + ANSWER_HOLD_MS,
    held: true,
    workAttempt: 0,
    failures: 0,
    crashes: 0,
    lastError: null,
    since: now,
    lastProgressAt: now,
    needsAttention: false,
    // Who asks for the task knows it.
    missingSince: null,
    updatedAt: now,
  }
  const told = event(to.state, `${to.state === 'running' ? 'start' : 'publish'} accepted`)
  const effects: Effect[] = [told, { type: 'withdraw_report' }, { type: 'wake_after_answer' }]
  return { kind: 'next', next, effects, answer }
}

const shown = (record: TaskRecord): Answer => ({ code: 200, state: record.state })

/** An answer that was written late must not release the work of a later action: hence `work`. */
function decideAnswered(record: TaskRecord, work: Work, { now }: Moment): Decision {
  if (!record.held || record.work !== work) return { kind: 'unchanged', answer: shown(record) }
  const next = { ...record, held: false, dueAt: now, revision: record.revision + 1, updatedAt: now }
  return { kind: 'next', next, effects: [{ type: 'wake', delayMs: 0 }], answer: shown(record) }
}
