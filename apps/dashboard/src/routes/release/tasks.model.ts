import type { DeadlineName, Task } from '../../api-types.ts'
import { DEADLINE_NAMES } from '../../api-types.ts'
import { lengthText } from '../../times.ts'

/** Which tasks are shown: in what state, and whose name has a text in it. */
export interface TaskFilter {
  readonly state: string
  readonly name: string
}

/** Tasks that fit, those with trouble first, otherwise as they came. Pure. */
export function shownTasks(tasks: readonly Task[], { state, name }: TaskFilter): Task[] {
  const part = name.trim().toLocaleLowerCase()
  return tasks
    .filter((task) => state === '' || task.state === state)
    .filter((task) => `${task.service_name} ${task.kf_id}`.toLocaleLowerCase().includes(part))
    .toSorted((one, other) => trouble(other) - trouble(one))
}

function trouble({ state, last_error, waiting_for }: Task): number {
  if (state === 'failed' || state === 'rejected') return 3
  if (waiting_for?.whom === 'person') return 2
  return last_error !== null && waiting_for !== null ? 1 : 0
}

/** How many tasks are in each state, in the order of first appearance. Pure. */
export function stateCounts(tasks: readonly Task[]): readonly (readonly [state: string, count: number])[] {
  const counts = new Map<string, number>()
  for (const { state } of tasks) counts.set(state, (counts.get(state) ?? 0) + 1)
  return [...counts]
}

const NAMES: { readonly [name in DeadlineName]: string } = {
  accept: 'to accept',
  silence: 'of silence',
  total: 'in all',
}

/**
 * The deadline that ends first, and what is left of it. The time left was told by the coordinator's clock, so it is
 * counted from when the answer came and not compared with the clock of this machine. Pure.
 */
export function deadlineLeft(task: Pick<Task, 'deadlines'>, answeredAt: number, now: number): string | null {
  const left = DEADLINE_NAMES.flatMap((name) => {
    const one = task.deadlines?.[name] ?? null
    return one === null ? [] : [{ name, ms: one.left_ms - (now - answeredAt) }]
  }).toSorted((one, other) => one.ms - other.ms)[0]
  if (!left) return null
  return left.ms <= 0 ? `over (${NAMES[left.name]})` : `${lengthText(left.ms)} ${NAMES[left.name]}`
}

/** What a task says, and its last error; what stands in the error is not said twice. Pure. */
export function wordsOf({
  message,
  last_error,
  waiting_for,
}: Pick<Task, 'message' | 'last_error' | 'waiting_for'>) {
  const error = last_error ?? waiting_for?.last_error ?? null
  const isRepeated = message !== null && error !== null && flat(error).includes(flat(message))
  return { message: isRepeated ? null : message, error }
}

const flat = (text: string) => text.replaceAll(/\s+/g, ' ').trim()

/** A summary as lines of name and value; what is no object is one line. Pure. */
export function summaryLines(summary: unknown): readonly (readonly [name: string, value: string])[] {
  if (summary === null || summary === undefined) return []
  if (typeof summary !== 'object' || Array.isArray(summary)) return [['summary', textOf(summary)]]
  return Object.entries(summary).map(([name, value]) => [name, textOf(value)])
}

function textOf(value: unknown): string {
  if (typeof value === 'number') return value.toLocaleString('en')
  return typeof value === 'string' ? value : JSON.stringify(value)
}
