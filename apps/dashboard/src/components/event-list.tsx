import { Link } from '@tanstack/react-router'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useRef } from 'react'
import { idOf, type ReleaseEvent } from '../api-types.ts'
import { Tag } from './state-badge.tsx'
import { TimeText } from './time-text.tsx'

const LOOK = {
  info: { tone: 'idle', sign: 'i' },
  warning: { tone: 'ready', sign: '!' },
  error: { tone: 'bad', sign: '✕' },
} as const

/** One event, with where it leads. */
export function EventRow({ event, isLinked }: { readonly event: ReleaseEvent; readonly isLinked: boolean }) {
  const { tone, sign } = LOOK[event.event_type] ?? LOOK.info
  return (
    <div className="event">
      <TimeText at={event.created_at} form="clock" />
      <Tag tone={tone} sign={sign} text={event.event_type} />
      <span className="event-message">
        {event.message}
        {event.actor !== undefined && <span className="muted"> · by {event.actor}</span>}
        {isLinked && <EventLinks event={event} />}
      </span>
    </div>
  )
}

function EventLinks({ event }: { readonly event: ReleaseEvent }) {
  const release = idOf(event.release)
  const service = idOf(event.task_service)
  return (
    <span className="event-links">
      {release !== null && (
        <Link to="/releases/$id" params={{ id: release }}>
          release {release}
        </Link>
      )}
      {service !== null && (
        <Link to="/task-services/$id" params={{ id: service }}>
          service {service}
        </Link>
      )}
    </span>
  )
}

/** Thousands of events in a box of their own; only those in sight are drawn. */
export function EventBox({
  events,
  label,
}: {
  readonly events: readonly ReleaseEvent[]
  readonly label: string
}) {
  const box = useRef<HTMLDivElement>(null)
  const rows = useVirtualizer({
    count: events.length,
    getScrollElement: () => box.current,
    estimateSize: () => 30,
    getItemKey: (index) => events[index]?.kf_id ?? index,
    overscan: 8,
  })
  return (
    // The keyboard scrolls it too.
    <div ref={box} className="scroll-box events-box" tabIndex={0} role="region" aria-label={label}>
      <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
        {rows.getVirtualItems().map(({ index, key, start }) => {
          const event = events[index]
          return (
            <div
              key={key}
              data-index={index}
              ref={rows.measureElement}
              className="virtual"
              style={{ transform: `translateY(${start}px)` }}
            >
              {event && <EventRow event={event} isLinked={false} />}
            </div>
          )
        })}
      </div>
    </div>
  )
}
