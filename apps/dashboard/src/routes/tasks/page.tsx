import { NativeSelect } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { TextFilters } from '../../components/list-page.tsx'
import { Empty } from '../../components/notice.tsx'
import { Pager } from '../../components/pager.tsx'
import { PageTitle } from '../../components/page-title.tsx'
import { QueryView } from '../../components/query-view.tsx'
import { TaskTable } from '../../components/task-table.tsx'
import { usePageSearch } from '../../components/use-page.ts'
import { usePageParts } from '../../page-parts.ts'
import { tasksQuery } from '../../queries.ts'
import { offsetOf } from '../../search-text.ts'
import { TASK_STATES } from '../../states.ts'
import { PAGE_SIZE, taskSearch, tasksPath } from './page.model.ts'

const FILTERS = [
  { name: 'release', label: 'Release', placeholder: 'RE_…' },
  { name: 'task_service', label: 'Task service', placeholder: 'TS_…' },
]

/** Tasks of all releases, newest first. */
export default function TasksPage() {
  const [search, change] = usePageSearch(taskSearch)
  const query = useQuery(tasksQuery(usePageParts().api, tasksPath(search)))
  return (
    <>
      <PageTitle title="Tasks" />
      <TextFilters label="Filter tasks" filters={FILTERS} values={search} onChange={change}>
        <NativeSelect
          size="xs"
          label="State"
          value={search.state ?? ''}
          data={[{ value: '', label: 'any' }, ...TASK_STATES]}
          onChange={(event) => change({ state: event.currentTarget.value })}
        />
      </TextFilters>
      <QueryView query={query}>
        {({ results, count }) =>
          count === 0 ? (
            <Empty title="No task here.">Tasks are made when a release begins.</Empty>
          ) : (
            <>
              <TaskTable tasks={results} />
              <Pager
                offset={offsetOf(search.offset)}
                size={PAGE_SIZE}
                count={count}
                onOffset={(offset) => change({ offset: offset === 0 ? '' : String(offset) })}
              />
            </>
          )
        }
      </QueryView>
    </>
  )
}
