import { NativeSelect, TextInput } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useMemo, useRef, useState } from 'react'
import { idOf, type Release, type Task } from '../../api-types.ts'
import { IdText } from '../../components/id-text.tsx'
import { Empty } from '../../components/notice.tsx'
import { useKnownNow } from '../../components/use-page.ts'
import { StateBadge } from '../../components/state-badge.tsx'
import { waitingSentence } from '../../waiting.ts'
import {
  deadlineLeft,
  shownTasks,
  stateCounts,
  summaryLines,
  wordsOf,
  type TaskFilter,
} from './tasks.model.ts'

const ROW_PX = 58
const FEW = 8
const COLUMNS = ['Task service', 'State', 'Progress', 'Says', 'Attempt', 'Deadline left']

/** The tasks of a release; of a thousand only those in sight are drawn. */
export function Tasks({ release, answeredAt }: { readonly release: Release; readonly answeredAt: number }) {
  const [filter, setFilter] = useState<TaskFilter>({ state: '', name: '' })
  const shown = useMemo(() => shownTasks(release.tasks, filter), [release.tasks, filter])
  if (release.tasks.length === 0) return <NoTasks state={release.state} />
  return (
    <>
      {release.tasks.length > FEW && (
        <TaskFilters tasks={release.tasks} filter={filter} onFilter={setFilter} />
      )}
      {shown.length === 0 ? (
        <Empty title="No task fits." />
      ) : (
        <TaskBox tasks={shown} answeredAt={answeredAt} />
      )}
    </>
  )
}

function NoTasks({ state }: { readonly state: string }) {
  if (state === 'waiting' || state === 'initializing') return <Empty title="The tasks are being made." />
  return (
    <Empty title="No task service takes part.">
      No service was enabled when the release began. <Link to="/task-services">See the task services.</Link>
    </Empty>
  )
}

function TaskFilters(props: {
  readonly tasks: readonly Task[]
  readonly filter: TaskFilter
  readonly onFilter: (filter: TaskFilter) => void
}) {
  const { tasks, filter, onFilter } = props
  const states = stateCounts(tasks).map(([state, count]) => ({ value: state, label: `${state} (${count})` }))
  return (
    <div className="filters">
      <NativeSelect
        size="xs"
        label="State"
        value={filter.state}
        data={[{ value: '', label: `any (${tasks.length})` }, ...states]}
        onChange={(event) => onFilter({ ...filter, state: event.currentTarget.value })}
      />
      <TextInput
        size="xs"
        label="Service or id contains"
        value={filter.name}
        onChange={(event) => onFilter({ ...filter, name: event.currentTarget.value })}
      />
    </div>
  )
}

function TaskBox({ tasks, answeredAt }: { readonly tasks: readonly Task[]; readonly answeredAt: number }) {
  const box = useRef<HTMLDivElement>(null)
  const rows = useVirtualizer({
    count: tasks.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_PX,
    getItemKey: (index) => tasks[index]?.kf_id ?? index,
    overscan: 6,
  })
  return (
    <div
      className="scroll-box tasks-box"
      ref={box}
      tabIndex={0}
      role="region"
      aria-label="Tasks of the release"
    >
      <div role="table" aria-label="Tasks" aria-rowcount={tasks.length + 1}>
        <TaskHead />
        <div role="rowgroup" style={{ height: rows.getTotalSize(), position: 'relative' }}>
          {rows.getVirtualItems().map(({ index, key, start }) => {
            const task = tasks[index]
            return (
              task && (
                <div
                  key={key}
                  role="row"
                  aria-rowindex={index + 2}
                  data-index={index}
                  ref={rows.measureElement}
                  className="virtual task-row"
                  style={{ transform: `translateY(${start}px)` }}
                >
                  <TaskCells task={task} answeredAt={answeredAt} />
                </div>
              )
            )
          })}
        </div>
      </div>
    </div>
  )
}

function TaskHead() {
  return (
    <div role="rowgroup" className="task-head">
      <div role="row" className="task-row">
        {COLUMNS.map((column) => (
          <span key={column} role="columnheader">
            {column}
          </span>
        ))}
      </div>
    </div>
  )
}

function TaskCells({ task, answeredAt }: { readonly task: Task; readonly answeredAt: number }) {
  const now = useKnownNow()
  const left = deadlineLeft(task, answeredAt, now)
  const attempt = task.attempt ?? null
  const isOver = left?.startsWith('over') ?? false
  return (
    <>
      <span role="cell" className="task-name">
        <Link to="/task-services/$id" params={{ id: idOf(task.task_service) }} className="strong">
          {task.service_name || idOf(task.task_service)}
        </Link>
        <IdText id={task.kf_id} />
      </span>
      <span role="cell">
        <StateBadge state={task.state} />
      </span>
      <span role="cell">
        <ProgressBar percent={task.progress} name={task.service_name} />
      </span>
      <span role="cell" className="task-says">
        <Says task={task} now={now} />
      </span>
      <span role="cell" data-name="Attempt" data-empty={attempt === null || undefined}>
        {attempt ?? '–'}
      </span>
      <span
        role="cell"
        data-name="Deadline left"
        data-empty={left === null || undefined}
        className={isOver ? 'is-over' : ''}
      >
        {left ?? '–'}
      </span>
    </>
  )
}

function ProgressBar({ percent, name }: { readonly percent: number; readonly name: string }) {
  return (
    <span
      className="progress"
      role="progressbar"
      aria-label={`Progress of ${name}`}
      aria-valuenow={percent}
      aria-valuemin={0}
      aria-valuemax={100}
    >
      <span className="progress-track">
        <span className="progress-bar" style={{ width: `${percent}%` }} />
      </span>
      <span className="number">{percent} %</span>
    </span>
  )
}

/** Its own words, what it waits for, its last error in full, and its summary. */
function Says({ task, now }: { readonly task: Task; readonly now: number }) {
  const lines = summaryLines(task.summary)
  // The sentence would repeat the error that is shown in full below it.
  const waiting = task.waiting_for && { ...task.waiting_for, last_error: null }
  const { message, error } = wordsOf(task)
  return (
    <>
      {message !== null && <span className="prewrap">{message}</span>}
      {waiting && <span className="muted">{waitingSentence(waiting, now)}</span>}
      {error !== null && <span className="task-error">Last error: {error}</span>}
      {lines.length > 0 && (
        <details>
          <summary>Summary</summary>
          <dl className="summary">
            {lines.map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </>
  )
}
