import { idOf, type Release, type ReleaseEvent } from '../../api-types.ts'
import { isFinal, type AnyState } from '../../states.ts'

/** One state of something, from when to when; epoch ms. `to` null: it lasts. */
export interface Phase {
  readonly state: AnyState
  readonly from: number
  readonly to: number | null
}

/** A row of the timeline: the release itself, or one of its tasks. */
export interface TimelineRow {
  readonly id: string
  readonly label: string
  readonly phases: readonly Phase[]
}

export interface Timeline {
  readonly rows: readonly TimelineRow[]
  readonly from: number
  /** When the last of it ended; null where it goes on. */
  readonly to: number | null
  /** The last change that is known. */
  readonly changedAt: number
}

interface Move {
  readonly source: string
  readonly target: string
  readonly at: number
}

/** A move that an event tells, by the words of RC-31; null where it tells something else. Pure. */
export function moveOf({ message, created_at }: Pick<ReleaseEvent, 'message' | 'created_at'>): Move | null {
  const match = /^(?:release|task) .* changed from (\w+) to (\w+)$/.exec(message)
  return match?.[1] && match[2] ? { source: match[1], target: match[2], at: Date.parse(created_at) } : null
}

/** Phases from moves, oldest first; the first state begins when the thing was made. Pure. */
export function phasesOf(createdAt: number, state: AnyState, moves: readonly Move[]): Phase[] {
  const first = (moves[0]?.source ?? state) as AnyState
  const changes = moves.filter(({ source, target }) => source !== target)
  const later = changes.map(({ target, at }) => ({ state: target as AnyState, from: at }))
  const starts = [{ state: first, from: createdAt }, ...later]
  return starts.flatMap((start, index) => {
    const to = starts[index + 1]?.from ?? null
    // Several moves of one report are written at one moment: what lasted no time is no phase.
    return to !== null && to <= start.from ? [] : [{ ...start, to }]
  })
}

/** The timeline of a release from its events. Pure. @param events newest first, as they are listed */
export function timelineOf(release: Release, events: readonly ReleaseEvent[]): Timeline {
  const moves = movesById(release.kf_id, events)
  const row = (id: string, label: string, createdAt: string, state: AnyState): TimelineRow => ({
    id,
    label,
    phases: phasesOf(Date.parse(createdAt), state, moves.get(id) ?? []),
  })
  const rows = [
    row(release.kf_id, 'Release', release.created_at, release.state),
    ...release.tasks.map((task) =>
      row(task.kf_id, task.service_name || task.kf_id, task.created_at, task.state),
    ),
  ]
  const changedAt = endOf(rows)
  const to = isFinal(release.state) ? changedAt : null
  return { rows, from: Date.parse(release.created_at), to, changedAt }
}

/** Moves of the release and of each of its tasks, oldest first. */
function movesById(releaseId: string, events: readonly ReleaseEvent[]): Map<string, Move[]> {
  const found = new Map<string, Move[]>()
  for (const event of events.toReversed()) {
    const move = moveOf(event)
    const id = idOf(event.task) ?? releaseId
    if (move) found.set(id, [...(found.get(id) ?? []), move])
  }
  return found
}

function endOf(rows: readonly TimelineRow[]): number {
  return Math.max(...rows.map(({ phases }) => phases.at(-1)?.from ?? 0))
}

const STEPS_MS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800,
  604_800,
].map((seconds) => seconds * 1000)

/** Marks of the time axis: round distances from the start, at most `most` of them. Pure. */
export function axisMarks(lengthMs: number, most: number): number[] {
  const step = STEPS_MS.find((one) => lengthMs / one <= most) ?? lengthMs
  const marks: number[] = []
  for (let at = 0; at <= lengthMs; at += step) marks.push(at)
  return marks
}

/** A name that is too long, without its middle: names that begin alike differ at their ends. Pure. */
export function shortened(name: string, most: number): string {
  if (name.length <= most) return name
  const end = Math.floor((most - 1) / 2)
  return `${name.slice(0, most - 1 - end)}…${name.slice(name.length - end)}`
}

/** The timeline in words, for who does not see it. Pure. */
export function timelineText(
  { rows, from, to }: Timeline,
  now: number,
  lengthOf: (ms: number) => string,
): string {
  const phases = rows[0]?.phases ?? []
  const parts = phases
    .filter((phase) => phase.to !== null || !isFinal(phase.state))
    .map((phase) => `${phase.state} ${lengthOf((phase.to ?? now) - phase.from)}`)
  const tasks = rows.length === 2 ? '1 task' : `${rows.length - 1} tasks`
  const whole = `${to === null ? 'So far' : 'In all'} ${lengthOf((to ?? now) - from)}, ${tasks}.`
  return `The release was ${parts.join(', then ')}. ${whole}`
}

/** One phase in words: how long, and from when after the beginning; of what is final, only when. Pure. */
export function phaseText(phase: Phase, from: number, now: number, lengthOf: (ms: number) => string): string {
  const since =
    phase.from === from ? 'from the beginning' : `${lengthOf(phase.from - from)} after the beginning`
  if (phase.to === null && isFinal(phase.state)) return `${phase.state} ${since}`
  return `${phase.state} for ${lengthOf((phase.to ?? now) - phase.from)}, ${since}${phase.to === null ? ', until now' : ''}`
}
