// What the author's code did in the world outside, against who was allowed to at that moment.
import type { TaskEvidence } from './evidence.ts'
import type { EffectLine, HistoryLine, ProcessLine, StarvedLine, Work } from './history.ts'
import type { Ended, Violation } from './judge.ts'
import { LEASE_MS, SHUTDOWN_GRACE_MS } from './plan.ts'

interface Running {
  readonly attempt: number
  readonly work: Work
  readonly pid: number
  readonly begunAt: number
}

export function judgeEffects(history: readonly HistoryLine[], ends: readonly Ended[]): Violation[] {
  const effects = history.filter((line): line is HistoryLine & EffectLine => line.type === 'effect')
  return [
    ...overlaps(history),
    ...earlyPublic(history),
    ...ends.flatMap(({ evidence }) =>
      (evidence?.tasks ?? []).flatMap((task) => {
        const own = effects.filter((line) => line.task === task.id)
        return [...judgeAccepted(task, own), ...judgePublic(task, own), ...judgeFencedPublic(task, own)]
      }),
    ),
  ]
}

/** Attempts of one task at work at the same time. */
function overlaps(history: readonly HistoryLine[]): Violation[] {
  const workers = new Workers(history.filter((line) => line.type === 'starved'))
  return history.flatMap((line) => {
    if (line.type === 'process') workers.change(line)
    return line.type === 'effect' ? workers.follow(line) : []
  })
}

const MARGIN_MS = 100
/** A renewal, and what a busy machine makes of it. */
const TOLD_WITHIN_MS = LEASE_MS / 3 + 500

/** Who works on what, from one line to the next. */
class Workers {
  readonly #running = new Map<string, readonly Running[]>()
  /** The newest attempt of each task that has begun. */
  readonly #backSince = new Map<number, number>()
  readonly #begun = new Map<string, number>()
  readonly #suspendedOnce = new Set<number>()
  /** Told to stop, and since when. */
  readonly #leaving = new Map<number, number>()
  readonly #starved: readonly (HistoryLine & StarvedLine)[]

  constructor(starved: readonly (HistoryLine & StarvedLine)[]) {
    this.#starved = starved
  }

  /** Who is dead works no more, and who was suspended may have lost its lease without knowing. */
  change({ what, pid, at }: HistoryLine & ProcessLine): void {
    if (what === 'stopping' || what === 'cutting') this.#suspendedOnce.add(pid)
    if (what === 'terminating') this.#leaving.set(pid, at)
    if (what === 'resumed' || what === 'restored') this.#backSince.set(pid, at)
    if (!['stopping', 'cutting', 'killing', 'ended'].includes(what)) return
    for (const [task, all] of this.#running)
      this.#running.set(
        task,
        all.filter((one) => one.pid !== pid),
      )
  }

  follow(line: HistoryLine & EffectLine): Violation[] {
    const { task, edge, attempt, work, pid, at } = line
    const others = (this.#running.get(task) ?? []).filter((one) => one.attempt !== attempt)
    if (edge === 'public') return []
    // Claimed before a suspension, and begun after it, when somebody else has the task: its lease is lost already.
    const isLate = this.#suspendedOnce.has(pid) && attempt < this.#newest(task)
    const isNew = edge === 'begin' && !isLate
    // So may one be whose process is only just back: it is told at its next renewal, and holds nobody up until then.
    const isSure = at - (this.#backSince.get(pid) ?? -Infinity) > TOLD_WITHIN_MS
    this.#running.set(task, isNew && isSure ? [...others, { attempt, work, pid, begunAt: at }] : others)
    if (!isNew) return []
    this.#begun.set(task, Math.max(attempt, this.#newest(task)))
    const found = others.filter((other) => !this.#isStarved(other, at) && !this.#isGivenBack(other, at))
    return found.map((other) => overlap(line, other))
  }

  #newest(task: string): number {
    return this.#begun.get(task) ?? 0
  }

  /** What has not stopped within the grace time of a shutdown is given back a moment before its process ends. */
  #isGivenBack({ pid }: Running, at: number): boolean {
    const since = this.#leaving.get(pid)
    return since !== undefined && at - since > SHUTDOWN_GRACE_MS - MARGIN_MS
  }

  /** It is told when it is over, which may be after somebody else has begun. */
  #isStarved({ pid, begunAt }: Running, at: number): boolean {
    return this.#starved.some((line) => line.pid === pid && line.at >= begunAt && line.at - line.ms <= at)
  }
}

function overlap({ task, work, attempt }: EffectLine, other: Running): Violation {
  const what = `${work} of attempt ${attempt} began beside ${other.work} of attempt ${other.attempt}`
  return { kind: 'doubled', about: task, what }
}

/** Nothing is made public before a person asked for it. */
function earlyPublic(history: readonly HistoryLine[]): Violation[] {
  const asked = new Set<string>()
  const found: Violation[] = []
  for (const line of history) {
    if (line.type === 'person' && line.what === 'publish') asked.add(line.release)
    if (line.type === 'effect' && line.work === 'publish' && !asked.has(line.release))
      found.push({ kind: 'public before publish', about: line.task, what: `${line.edge} of publish` })
  }
  return found
}

const FINISHED = { stage: 'staged', publish: 'published' } as const

/** What a service counts as done was done, by the attempt that held the task then, and not once more afterwards. */
function judgeAccepted(task: TaskEvidence, effects: readonly EffectLine[]): Violation[] {
  return (['stage', 'publish'] as const).flatMap((work) => {
    const accepted = (task.own?.events ?? [])
      .filter((event) => event.type === FINISHED[work])
      .map((event) => Number(/attempt (\d+)/.exec(event.message)?.[1]))
    if (accepted.length > 1)
      return [broken('doubled', task, `${work} was counted as done ${accepted.length} times`)]
    const [attempt] = accepted
    if (attempt === undefined) return []
    const own = effects.filter((line) => line.work === work)
    const end = own.findIndex((line) => line.attempt === attempt && line.edge === 'end')
    if (end < 0) return [broken('lost', task, `${work} of attempt ${attempt} counts as done and was not`)]
    const later = own.find((line) => line.edge === 'begin' && line.attempt > attempt)
    if (!later) return []
    return own.indexOf(later) < end
      ? [broken('fenced', task, `${work} of attempt ${attempt} was counted after ${later.attempt} had begun`)]
      : [broken('doubled', task, `${work} of attempt ${later.attempt} after ${attempt} had done it`)]
  })
}

/** Who has lost the task asks before it makes anything public, and is told. */
function judgeFencedPublic(task: TaskEvidence, effects: readonly EffectLine[]): Violation[] {
  let newest = 0
  return effects.flatMap(({ edge, attempt }) => {
    if (edge === 'begin') newest = Math.max(newest, attempt)
    if (edge !== 'public' || attempt >= newest) return []
    return [broken('fenced', task, `attempt ${attempt} made it public after ${newest} had begun`)]
  })
}

/** Public is what was staged by the attempt that counted, and nothing of what ended otherwise. */
function judgePublic(task: TaskEvidence, effects: readonly EffectLine[]): Violation[] {
  const { publicFiles, state } = task
  if (state !== 'published')
    return publicFiles.length === 0
      ? []
      : [broken('public after cancel', task, `it is ${state}, ${publicFiles.join()} is public`)]
  const staged = task.own?.events.find((event) => event.type === 'staged')
  const attempt = Number(/attempt (\d+)/.exec(staged?.message ?? '')?.[1])
  const counted = effects.find(
    (line) => line.work === 'stage' && line.edge === 'end' && line.attempt === attempt,
  )
  if (publicFiles.length === 0) return [broken('lost', task, 'it is published, and nothing is public')]
  return publicFiles.length === 1 && publicFiles[0] === counted?.token
    ? []
    : [broken('fenced', task, `public is ${publicFiles.join()}, staged was ${counted?.token}`)]
}

function broken(kind: Violation['kind'], { id, service }: TaskEvidence, what: string): Violation {
  return { kind, about: `${id} of ${service}`, what }
}
