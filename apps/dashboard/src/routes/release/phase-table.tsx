import { useState } from 'react'
import { Table } from '../../components/table.tsx'
import { lengthText } from '../../times.ts'
import { phaseText, type Timeline } from './timeline.model.ts'

/** The timeline as a table, for who does not see the drawing or wants its numbers; made when it is asked for. */
export function PhaseTable({ timeline, now }: { readonly timeline: Timeline; readonly now: number }) {
  const [isOpen, setOpen] = useState(false)
  return (
    <details className="phases" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>The timeline as a table</summary>
      {isOpen && (
        <Table label="Phases of the release and its tasks" columns={['Of', 'Phases']}>
          {timeline.rows.map(({ id, label, phases }) => (
            <tr key={id}>
              <td>{label}</td>
              <td data-name="Phases">
                <ol className="phase-list">
                  {phases.map((phase) => (
                    <li key={`${phase.state} ${phase.from}`}>
                      {phaseText(phase, timeline.from, now, lengthText)}
                    </li>
                  ))}
                </ol>
              </td>
            </tr>
          ))}
        </Table>
      )}
    </details>
  )
}
