import assert from 'node:assert/strict'
import type { Action } from '@release-task/protocol'
import type { Command, WorkerCommand } from './decision.ts'
import type { TaskRecord } from './record.ts'

// What docs/protocol.md says a task becomes, typed from there and not from the code.

export type Row =
  | 'unknown'
  | 'pending'
  | 'running'
  | 'staged'
  | 'publishing'
  | 'published'
  | 'failed'
  | 'canceled'
  | 'tombstone'

/** `>x`: 200, x is stored and answered. `=x`: 200, x is answered once more and nothing is stored. */
type Cell = `>${Row}` | `=${Row}` | '400' | '404' | '404 tombstone'

/** Section 4, state × action. */
// prettier-ignore
const TABLE: { readonly [row in Row]: readonly [initialize: Cell, start: Cell, publish: Cell, get_status: Cell, cancel: Cell] } = {
  unknown:    ['>pending', '404',      '404',         '404',         '404 tombstone'],
  pending:    ['=pending', '>running', '400',         '=pending',    '>canceled'],
  running:    ['400',      '=running', '400',         '=running',    '>canceled'],
  staged:     ['400',      '=running', '>publishing', '=staged',     '>canceled'],
  publishing: ['400',      '400',      '=publishing', '=publishing', '>canceled'],
  published:  ['400',      '400',      '=publishing', '=published',  '400'],
  failed:     ['400',      '400',      '400',         '=failed',     '=failed'],
  canceled:   ['400',      '400',      '400',         '=canceled',   '=canceled'],
  tombstone:  ['400',      '400',      '400',         '404',         '=canceled'],
}
const COLUMN: { readonly [action in Action]: number } = {
  initialize: 0,
  start: 1,
  publish: 2,
  get_status: 3,
  cancel: 4,
}
export const FINAL: readonly string[] = ['published', 'failed', 'canceled', 'tombstone']

const STAGE_RETRY_FOR = 30 * 60_000
const FORGOTTEN_AFTER = 60 * 60_000
const LEASE = 15_000
const MOST_CRASHES = 10
const ATTENTION_FROM = 5

export interface Model {
  readonly row: Row
  readonly release: string | null
  readonly attempt: number
  /** How often the present work was begun (N-14). */
  readonly workAttempt: number
  readonly work: 'stage' | 'publish' | 'discard' | null
  /** The earliest and the latest moment at which the work may be due: the delay between tries is jittered. */
  readonly due: readonly [from: number, to: number] | null
  readonly held: boolean
  readonly lease: { readonly owner: string; readonly work: string; readonly until: number } | null
  readonly failures: number
  readonly crashes: number
  /** Since when there was neither progress nor a first failure (WK-8). */
  readonly quietSince: number
  readonly progress: number
  readonly best: number
  readonly attention: boolean
  readonly cleanup: TaskRecord['cleanup']
  readonly missingSince: number | null
}

export const UNKNOWN: Model = {
  row: 'unknown',
  release: null,
  attempt: 0,
  workAttempt: 0,
  work: null,
  due: null,
  held: false,
  lease: null,
  failures: 0,
  crashes: 0,
  quietSince: 0,
  progress: 0,
  best: 0,
  attention: false,
  cleanup: 'none',
  missingSince: null,
}

/** What must come of a command. */
export interface Verdict {
  /** The same object where nothing is stored. */
  readonly model: Model
  /** `200 running`, `400`, `404` */
  readonly answer: string
  /** What becomes of the report: a new one, none any more; null: it stays as it is. */
  readonly report: 'staged' | 'published' | 'failed' | 'progress' | 'attempt' | 'withdrawn' | null
  /** A word that is kept as an event of a late one (WK-2). */
  readonly late: boolean
}

const shown = ({ row }: Model) => `200 ${row === 'tombstone' ? 'canceled' : row}`
const stays = (model: Model, answer = shown(model)): Verdict => ({ model, answer, report: null, late: false })
const becomes = (model: Model, report: Verdict['report'] = null): Verdict => ({ ...stays(model), report })

interface About {
  readonly now: number
  readonly goneOwner: string | null
}

export function judge(model: Model, command: Command, about: About): Verdict {
  if (command.type === 'action') return judgeAction(model, command.request, about)
  if (model.row === 'unknown') return stays(model, '404')
  switch (command.type) {
    case 'answered':
      return judgeAnswered(model, command.work, about)
    case 'claim':
      return judgeClaim(model, command.owner, about)
    case 'retry':
      return judgeRetry(model, about)
    case 'give_up':
      return judgeGiveUp(model, about)
    case 'coordinator_shows':
      return judgeShows(model, command.state, about)
    case 'report_refused':
      return stays(model)
    default:
      return judgeWord(model, command, about)
  }
}

function judgeAction(
  model: Model,
  { action, releaseId }: { action: Action; releaseId: string },
  { now }: About,
): Verdict {
  if (model.release !== null && releaseId !== model.release) return stays(model, '400')
  const cell = TABLE[model.row][COLUMN[action]]!
  if (cell === '404 tombstone')
    return { ...becomes({ ...model, release: releaseId, row: 'tombstone' }), answer: '404' }
  if (cell === '404' || cell === '400') return stays(model, cell)
  if (cell.startsWith('=')) return stays(model, `200 ${cell.slice(1)}`)
  if (cell === '>pending') return becomes({ ...model, release: releaseId, row: 'pending', quietSince: now })
  if (cell === '>canceled') return becomes(ended(model, 'canceled', now), 'withdrawn')
  return becomes(begun(model, cell === '>running' ? 'running' : 'publishing', now), 'withdrawn')
}

/** WK-6: due in 1 s, or as soon as the answer is written. */
function begun(model: Model, row: 'running' | 'publishing', now: number): Model {
  const fresh = { failures: 0, crashes: 0, progress: 0, best: 0, attention: false, missingSince: null }
  const work = row === 'running' ? 'stage' : 'publish'
  const due = [now + 1000, now + 1000] as const
  return { ...model, ...fresh, row, work, workAttempt: 0, due, held: true, quietSince: now }
}

/** WK-17: `discard` runs after canceled and failed, where there is something to discard. */
function ended(model: Model, row: 'canceled' | 'failed', now: number): Model {
  const hasRun = model.attempt > 0
  const fresh = { failures: 0, crashes: 0, attention: false, held: false, missingSince: null }
  return {
    ...model,
    ...fresh,
    row,
    workAttempt: 0,
    work: hasRun ? 'discard' : null,
    due: hasRun ? [now, now] : null,
    cleanup: hasRun ? 'pending' : 'none',
  }
}

function judgeAnswered(model: Model, work: string, { now }: About): Verdict {
  const waits = model.held && model.work === work
  return waits ? becomes({ ...model, held: false, due: [now, now] }) : stays(model)
}

function judgeClaim(model: Model, owner: string, { now, goneOwner }: About): Verdict {
  const { work, due, lease } = model
  if (!work || !due || due[0] > now) return stays(model)
  const isOwn = lease?.owner === owner
  if (lease && lease.until > now && lease.owner !== goneOwner && !isOwn) return stays(model)
  const isCrash = lease !== null && lease.work === work && !isOwn
  const crashes = model.crashes + (isCrash ? 1 : 0)
  const attempt = model.attempt + 1
  if (crashes >= MOST_CRASHES && work === 'stage')
    return becomes(ended({ ...model, attempt, lease: null }, 'failed', now), 'failed')
  return taken({ ...model, attempt, crashes }, { owner, work, until: now + LEASE })
}

function taken(model: Model, lease: NonNullable<Model['lease']>): Verdict {
  const workAttempt = model.workAttempt + 1
  const isTold = workAttempt > 1 && model.work !== 'discard'
  return becomes(
    withAttention({ ...model, workAttempt, held: false, lease }, false),
    isTold ? 'attempt' : null,
  )
}

/** WK-11, WK-17: from the fifth trouble on; `stage` ends by itself. */
function withAttention(model: Model, permanent: boolean): Model {
  const often = model.failures >= ATTENTION_FROM || model.crashes >= ATTENTION_FROM
  return { ...model, attention: model.work !== 'stage' && (model.attention || permanent || often) }
}

function judgeRetry(model: Model, { now }: About): Verdict {
  if (!model.work || model.lease) return stays(model, '400')
  const fresh = { failures: 0, crashes: 0, attention: false, quietSince: now }
  return becomes({ ...model, ...fresh, due: model.held ? model.due : [now, now] })
}

function judgeGiveUp(model: Model, { now }: About): Verdict {
  if (model.cleanup === 'pending')
    return becomes({ ...model, work: null, due: null, cleanup: 'given_up', attention: false })
  return FINAL.includes(model.row) ? stays(model, '400') : becomes(ended(model, 'failed', now), 'failed')
}

/** N-9 and WK-20. */
function judgeShows(model: Model, state: string, { now }: About): Verdict {
  if (FINAL.includes(model.row)) return stays(model)
  if (['canceled', 'failed', 'rejected'].includes(state))
    return becomes(ended(model, 'canceled', now), 'withdrawn')
  const missingSince = state === 'missing' ? (model.missingSince ?? now) : null
  const isForgotten = missingSince !== null && now - missingSince >= FORGOTTEN_AFTER
  if (isForgotten && model.row !== 'publishing') return becomes(ended(model, 'canceled', now), 'withdrawn')
  return becomes({ ...model, missingSince })
}

/** WK-2, TS-2. */
function judgeWord(model: Model, word: WorkerCommand, { now }: About): Verdict {
  if (!model.lease || word.attempt !== model.attempt) return { ...stays(model, '400'), late: true }
  const isOutcome = ['succeeded', 'failed', 'released'].includes(word.type)
  if (model.lease.work !== model.work)
    return isOutcome ? becomes({ ...model, lease: null }) : stays(model, '400')
  if (word.type === 'progress') return judgeProgress(model, word.percent, now)
  if (word.type === 'succeeded') return judgeSuccess(model)
  if (word.type === 'failed') return judgeFailure(model, word.permanent, now)
  assert.equal(word.type, 'released', 'no other word is said in these worlds')
  return becomes({ ...model, lease: null, due: [now, now] })
}

function judgeProgress(model: Model, percent: number, now: number): Verdict {
  if (percent === model.progress) return stays(model)
  const ahead = percent > model.best ? { best: percent, crashes: 0, quietSince: now } : {}
  return becomes({ ...model, ...ahead, progress: percent }, model.work === 'discard' ? null : 'progress')
}

function judgeSuccess(model: Model): Verdict {
  const done = { work: null, due: null, lease: null, failures: 0, crashes: 0, attention: false }
  if (model.work === 'discard') return becomes({ ...model, ...done, cleanup: 'done' })
  const row = model.work === 'stage' ? 'staged' : 'published'
  return becomes({ ...model, ...done, row, progress: 100 }, row)
}

/** WK-8: 1 s, then doubled up to 2 min, anything up to it. */
function judgeFailure(model: Model, permanent: boolean, now: number): Verdict {
  const quietSince = model.failures === 0 ? now : model.quietSince
  const isTired = now - quietSince >= STAGE_RETRY_FOR
  if (model.work === 'stage' && (permanent || isTired))
    return becomes(ended({ ...model, lease: null }, 'failed', now), 'failed')
  const failures = model.failures + 1
  const longest = Math.min(120_000, 1000 * 2 ** (failures - 1))
  const next: Model = { ...model, lease: null, failures, crashes: 0, quietSince, due: [now, now + longest] }
  return becomes(withAttention(next, permanent), model.work === 'discard' ? null : 'attempt')
}

/** The record is what the model says. @returns the model, with the moment that chance has chosen */
export function compare(record: TaskRecord | null, model: Model, after: string): Model {
  const due = record?.dueAt ?? null
  const isInTime =
    model.due === null ? due === null : due !== null && due >= model.due[0] && due <= model.due[1]
  assert.ok(isInTime, `${after}: due at ${due}, expected ${JSON.stringify(model.due)}`)
  const [is, expected] = [textOfRecord(record), textOfModel(model)]
  if (is !== expected) assert.equal(is, expected, after)
  return due === null ? model : { ...model, due: [due, due] }
}

function textOfModel(model: Model): string {
  const { row, release, attempt, workAttempt, work, held, lease } = model
  const { failures, crashes, progress, attention, cleanup } = model
  const holder = lease && `${lease.owner} ${lease.work} until ${lease.until}`
  const fields = [
    release,
    attempt,
    workAttempt,
    work,
    held,
    holder,
    failures,
    crashes,
    progress,
    attention,
    cleanup,
  ]
  return [row, ...fields].join(' | ')
}

function textOfRecord(record: TaskRecord | null): string {
  if (!record) return textOfModel(UNKNOWN)
  const { releaseId, attempt, workAttempt, work, held, lease } = record
  const { failures, crashes, progress, needsAttention, cleanup } = record
  const row = record.tombstone ? 'tombstone' : record.state
  const holder = lease && `${lease.owner} ${lease.work} until ${lease.expiresAt}`
  const fields = [
    releaseId,
    attempt,
    workAttempt,
    work,
    held,
    holder,
    failures,
    crashes,
    progress,
    needsAttention,
    cleanup,
  ]
  return [row, ...fields].join(' | ')
}
