import { Link } from '@tanstack/react-router'
import type { Release } from '../api-types.ts'
import { standing, taskCounts } from '../routes/releases/page.model.ts'
import { IdText } from './id-text.tsx'
import { useKnownNow } from './use-page.ts'
import { StateBadge } from './state-badge.tsx'
import { Table } from './table.tsx'
import { TimeText } from './time-text.tsx'

const COLUMNS = ['Release', 'State', 'Version', 'Tasks', 'How it stands', 'Author', 'Created']

/** Releases, one a row. */
export function ReleaseTable({ releases }: { readonly releases: readonly Release[] }) {
  return (
    <Table label="Releases" columns={COLUMNS}>
      {releases.map((release) => (
        <ReleaseRow key={release.kf_id} release={release} />
      ))}
    </Table>
  )
}

function ReleaseRow({ release }: { readonly release: Release }) {
  const now = useKnownNow('slow')
  return (
    <tr>
      <td data-name="Release" className="wide">
        <Link to="/releases/$id" params={{ id: release.kf_id }} className="strong">
          {release.name}
        </Link>
        <br />
        <IdText id={release.kf_id} />
      </td>
      <td data-name="State">
        <StateBadge state={release.state} />
      </td>
      <td data-name="Version" className="number">
        {release.version}
      </td>
      <td data-name="Tasks">{taskCounts(release.tasks)}</td>
      <td data-name="How it stands" className="wide small">
        <span className="few-lines">{standing(release, now)}</span>
      </td>
      <td data-name="Author">{release.author}</td>
      <td data-name="Created">
        <TimeText at={release.created_at} />
      </td>
    </tr>
  )
}
