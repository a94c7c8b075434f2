import { useElementSize } from '@mantine/hooks'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useMemo, useRef, useState } from 'react'
import type { Release, ReleaseEvent } from '../../api-types.ts'
import { useKnownNow } from '../../components/use-page.ts'
import { lookOf } from '../../states.ts'
import { absoluteText, lengthText } from '../../times.ts'
import { PhaseTable } from './phase-table.tsx'
import {
  axisMarks,
  timelineOf,
  timelineText,
  type Phase,
  type Timeline,
  type TimelineRow,
  shortened,
} from './timeline.model.ts'

const ROW_PX = 22
const LABEL_PX = 150
const LABEL_PX_NARROW = 92
const NARROW_PX = 560
const MARK_PX = 90
const RIGHT_PX = 44

/** Where times are on the drawing. */
interface Scale {
  readonly labelPx: number
  readonly width: number
  readonly from: number
  readonly to: number
  readonly x: (at: number) => number
}

/** What happened when: a bar for each phase of the release and of each task. */
export function TimelineView({
  release,
  events,
}: {
  readonly release: Release
  readonly events: readonly ReleaseEvent[]
}) {
  const timeline = useMemo(() => timelineOf(release, events), [release, events])
  const { ref, width } = useKnownWidth()
  const now = useKnownNow(timeline.to === null ? 'second' : 'slow')
  // A change may be newer than the clock here, which moves once a second.
  const to = Math.max(timeline.to ?? now, timeline.changedAt, timeline.from + 1000)
  const scale = scaleOf(width, timeline.from, to)
  return (
    <div ref={ref} className="timeline">
      <p className="visually-hidden">{timelineText(timeline, now, lengthText)}</p>
      {width > 0 && (
        <>
          <Axis scale={scale} />
          <Rows timeline={timeline} scale={scale} />
        </>
      )}
      <Legend timeline={timeline} />
      <PhaseTable timeline={timeline} now={now} />
    </div>
  )
}

/** The width of an element. One that is not laid out for a moment, as in a window being resized, keeps the one it had. */
function useKnownWidth() {
  const { ref, width } = useElementSize()
  const [known, setKnown] = useState(0)
  if (width > 0 && width !== known) setKnown(width)
  return { ref, width: known }
}

function scaleOf(width: number, from: number, to: number): Scale {
  const labelPx = width < NARROW_PX ? LABEL_PX_NARROW : LABEL_PX
  const px = Math.max(1, width - labelPx - RIGHT_PX)
  return { labelPx, width, from, to, x: (at) => labelPx + (Math.max(0, at - from) / (to - from)) * px }
}

function Axis({ scale }: { readonly scale: Scale }) {
  const length = scale.to - scale.from
  const marks = axisMarks(length, Math.max(2, Math.floor((scale.width - scale.labelPx) / MARK_PX)))
  return (
    <svg width={scale.width} height={20} aria-hidden="true" className="timeline-axis">
      {marks.map((mark) => (
        <g key={mark}>
          <line
            x1={scale.x(scale.from + mark)}
            x2={scale.x(scale.from + mark)}
            y1={14}
            y2={20}
            className="timeline-line"
          />
          <text x={scale.x(scale.from + mark)} y={11} textAnchor={mark === 0 ? 'start' : 'middle'}>
            {mark === 0 ? '0' : `+${lengthText(mark)}`}
          </text>
        </g>
      ))}
    </svg>
  )
}

function Rows({ timeline, scale }: { readonly timeline: Timeline; readonly scale: Scale }) {
  const box = useRef<HTMLDivElement>(null)
  const rows = useVirtualizer({
    count: timeline.rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_PX,
    overscan: 6,
  })
  return (
    <div
      ref={box}
      className="scroll-box timeline-box"
      tabIndex={0}
      role="region"
      aria-label="Timeline of the release and its tasks"
    >
      <svg width={scale.width} height={rows.getTotalSize()} aria-hidden="true">
        {rows.getVirtualItems().map(({ index, start }) => {
          const row = timeline.rows[index]
          return row && <Row key={row.id} row={row} y={start} scale={scale} />
        })}
      </svg>
    </div>
  )
}

function Row({ row, y, scale }: { readonly row: TimelineRow; readonly y: number; readonly scale: Scale }) {
  const most = scale.labelPx < LABEL_PX ? 12 : 21
  const label = shortened(row.label, most)
  return (
    <g transform={`translate(0 ${y})`}>
      <text x={0} y={15} className="timeline-label">
        <title>{`${row.label} ${row.id}`}</title>
        {label}
      </text>
      <line
        x1={scale.labelPx}
        x2={scale.width - RIGHT_PX}
        y1={ROW_PX - 0.5}
        y2={ROW_PX - 0.5}
        className="timeline-line"
      />
      {row.phases.map((phase) => (
        <Bar key={`${phase.state} ${phase.from}`} phase={phase} scale={scale} />
      ))}
    </g>
  )
}

function Bar({ phase, scale }: { readonly phase: Phase; readonly scale: Scale }) {
  const { sign, tone } = lookOf(phase.state)
  const isPoint =
    phase.to === null && ['good', 'bad', 'stopped'].includes(tone) && phase.state !== 'canceling'
  const x = scale.x(phase.from)
  const width = isPoint ? 16 : Math.max(2, scale.x(phase.to ?? scale.to) - x)
  const title = isPoint
    ? `${phase.state} at ${absoluteText(phase.from)}`
    : `${phase.state} for ${lengthText((phase.to ?? scale.to) - phase.from)}, from ${absoluteText(phase.from)}`
  return (
    <g className="bar" data-tone={tone}>
      <title>{title}</title>
      <rect x={x} y={3} width={width} height={ROW_PX - 7} rx={2} />
      {width >= 16 && (
        <text x={x + 4} y={14}>
          {width > 10 + phase.state.length * 7 && !isPoint ? `${sign} ${phase.state}` : sign}
        </text>
      )}
    </g>
  )
}

function Legend({ timeline }: { readonly timeline: Timeline }) {
  const states = [...new Set(timeline.rows.flatMap(({ phases }) => phases.map(({ state }) => state)))]
  return (
    <ul className="legend" aria-label="Colours of the timeline">
      {states.map((state) => (
        <li key={state}>
          <span className="swatch" data-tone={lookOf(state).tone} aria-hidden="true" />{' '}
          <span aria-hidden="true">{lookOf(state).sign}</span> {state}
        </li>
      ))}
    </ul>
  )
}
