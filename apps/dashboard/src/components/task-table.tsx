import { Link } from '@tanstack/react-router'
import { idOf, type Task } from '../api-types.ts'
import { IdText } from './id-text.tsx'
import { StateBadge } from './state-badge.tsx'
import { Table } from './table.tsx'
import { TimeText } from './time-text.tsx'

const COLUMNS = ['Task', 'Release', 'Service', 'State', 'Progress', 'Last error', 'Created']

/** Tasks of several releases, one a row. */
export function TaskTable({ tasks }: { readonly tasks: readonly Task[] }) {
  return (
    <Table label="Tasks" columns={COLUMNS}>
      {tasks.map((task) => (
        <tr key={task.kf_id}>
          <td data-name="Task">
            <IdText id={task.kf_id} />
          </td>
          <td data-name="Release">
            <Link to="/releases/$id" params={{ id: idOf(task.release) }}>
              <code>{idOf(task.release)}</code>
            </Link>
          </td>
          <td data-name="Service">
            <Link to="/task-services/$id" params={{ id: idOf(task.task_service) }}>
              {task.service_name || idOf(task.task_service)}
            </Link>
          </td>
          <td data-name="State">
            <StateBadge state={task.state} />
          </td>
          <td data-name="Progress" className="number">
            {task.progress} %
          </td>
          <td data-name="Last error" className="wide small prewrap">
            {task.last_error ?? '–'}
          </td>
          <td data-name="Created">
            <TimeText at={task.created_at} />
          </td>
        </tr>
      ))}
    </Table>
  )
}
