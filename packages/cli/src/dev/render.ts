import { styleText } from 'node:util'
import type { ReleaseShown, TaskShown } from './coordinator-api.ts'
import type { Rates } from './rate.ts'
import { cut, span, summaryWords, wrap } from './text.ts'

type Color = 'green' | 'red' | 'yellow' | 'cyan'

const COLORS: { readonly [state: string]: Color } = {
  published: 'green',
  staged: 'yellow',
  canceling: 'red',
  canceled: 'red',
  failed: 'red',
  rejected: 'red',
}

export interface View {
  readonly release: ReleaseShown
  readonly rates: Rates
  /** Columns of the terminal. */
  readonly width: number
  /** Milliseconds since the release was first seen. */
  readonly elapsedMs: number
  /** Milliseconds until it is published unasked; null: it is not staged, or nobody waits. */
  readonly publishInMs: number | null
}

export const colored = (state: string, text: string): string => styleText(COLORS[state] ?? 'cyan', text)

/** The release as it is now, a line for each task; every line fits into the terminal. */
export function renderRelease(view: View): string[] {
  const { release, width } = view
  const nameWidth = Math.max(...release.tasks.map((task) => task.service_name.length), 4)
  const lines = [
    `${release.kf_id} "${release.name}" ${colored(release.state, release.state)} · ${span(view.elapsedMs)}`,
    ...release.tasks.map((task) => renderTask(task, view, nameWidth)),
    ...(view.publishInMs === null ? waitingLines(release) : renderStaged(release, view.publishInMs, width)),
  ]
  return lines.map((line) => cut(line, width - 1))
}

/** Whom it waits for, in words. */
function waitingLines(release: ReleaseShown): string[] {
  return release.waiting_for ? [`  ${release.waiting_for.what}`] : []
}

function renderTask(task: TaskShown, { rates, width }: View, nameWidth: number): string {
  const barWidth = width < 100 ? 16 : 32
  const full = Math.round((Math.min(100, task.progress) / 100) * barWidth)
  const bar = colored(task.state, '█'.repeat(full)) + '░'.repeat(barWidth - full)
  const percent = `${task.progress}%`.padStart(4)
  return `  ${task.service_name.padEnd(nameWidth)} ${bar} ${percent} ${colored(task.state, task.state)}${tail(task, rates)}`
}

function tail(task: TaskShown, rates: Rates): string {
  const trouble = task.last_error ?? task.waiting_for?.last_error
  if (trouble) return ` ${styleText('red', trouble)}`
  if (task.state !== 'running' && task.state !== 'publishing') return ''
  const message = task.message ?? ''
  const left = rates.leftMs(rateKey(task))
  // The message last: in a narrow terminal it is what can be cut.
  const timeLeft = left === null ? null : `${span(left)} left`
  const facts = [timeLeft, rates.perSecond(rateKey(task), message), message]
  const known = facts.filter((fact) => fact !== null && fact !== '')
  return known.length === 0 ? '' : ` ${known.join(' · ')}`
}

/** Each phase of a task has a rate of its own. */
export const rateKey = (task: TaskShown): string => `${task.kf_id} ${task.state}`

function renderStaged(release: ReleaseShown, publishInMs: number, width: number): string[] {
  const seconds = Math.ceil(publishInMs / 1000)
  return [
    styleText(['bold', 'yellow'], 'STAGED: nothing is public yet'),
    ...summaryLines(release, width),
    `Enter publishes · c cancels · publishes by itself in ${seconds} s`,
  ]
}

/** What each task says of what it has staged. */
export function summaryLines(release: ReleaseShown, width: number): string[] {
  return release.tasks.flatMap(({ service_name: name, summary }) =>
    summary ? wrap(`  ${name}: ${summaryWords(summary)}`, width - 1, '  ') : [],
  )
}
