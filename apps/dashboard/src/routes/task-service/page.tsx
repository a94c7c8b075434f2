import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { DEADLINE_NAMES, type TaskService } from '../../api-types.ts'
import { HealthTag } from '../../components/health-tag.tsx'
import { HinderedButton } from '../../components/hindered-button.tsx'
import { IdText } from '../../components/id-text.tsx'
import { Empty } from '../../components/notice.tsx'
import { PageTitle } from '../../components/page-title.tsx'
import { QueryView } from '../../components/query-view.tsx'
import { Tag } from '../../components/state-badge.tsx'
import { TaskTable } from '../../components/task-table.tsx'
import { TimeText } from '../../components/time-text.tsx'
import { useChange, useHindrance } from '../../components/use-page.ts'
import { usePageParts } from '../../page-parts.ts'
import { serviceQuery, tasksQuery } from '../../queries.ts'
import { changesIn, DEADLINE_MEANING, draftOf, type ServiceDraft } from '../task-services/page.model.ts'
import { ServiceForm } from '../task-services/service-form.tsx'
import { lastTasksPath } from './page.model.ts'
import { RemoveService, SwitchService } from './switches.tsx'

/** Everything about one task service. */
export default function TaskServicePage() {
  const { id = '' } = useParams({ strict: false })
  const query = useQuery(serviceQuery(usePageParts().api, id))
  return (
    <>
      {query.data === undefined && <PageTitle title={`Task service ${id}`} />}
      <QueryView query={query}>{(service) => <Shown service={service} />}</QueryView>
    </>
  )
}

function Shown({ service }: { readonly service: TaskService }) {
  const [isOpen, setOpen] = useState(false)
  const hindrance = useHindrance('service.write')
  return (
    <>
      <PageTitle title={service.name}>
        <HinderedButton hindrance={hindrance} variant="default" onClick={() => setOpen(true)}>
          Edit
        </HinderedButton>
        <SwitchService service={service} />
        <RemoveService service={service} />
      </PageTitle>
      {isOpen ? <Edit service={service} onClose={() => setOpen(false)} /> : <Facts service={service} />}
      <section className="panel" aria-label="Last tasks">
        <h2>Last tasks</h2>
        <LastTasks id={service.kf_id} />
      </section>
    </>
  )
}

function Facts({ service }: { readonly service: TaskService }) {
  return (
    <section className="panel" aria-label="The service">
      <div className="facts-line">
        {service.enabled ? (
          <Tag tone="good" sign="✓" text="enabled" />
        ) : (
          <Tag tone="idle" sign="○" text="disabled" />
        )}
        <HealthTag service={service} />
        {service.version && (
          <span>
            Version <strong>{service.version}</strong>
          </span>
        )}
        <span>
          by <strong>{service.author}</strong>, <TimeText at={service.created_at} />
        </span>
        <IdText id={service.kf_id} />
      </div>
      <p>{service.description}</p>
      <p>
        <span className="muted">Address: </span>
        <code>{service.url}</code>
      </p>
      <h2>Deadlines</h2>
      <dl className="summary wide-terms">
        {DEADLINE_NAMES.map((name) => (
          <div key={name}>
            <dt>{DEADLINE_MEANING[name]}</dt>
            <dd>{service.deadlines?.[name] ?? 'the coordinator’s setting'}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}

function Edit({ service, onClose }: { readonly service: TaskService; readonly onClose: () => void }) {
  const { api } = usePageParts()
  // What the form began with: a change by somebody else meanwhile must not look like one by this person.
  const [before] = useState(() => draftOf(service))
  const save = useChange({
    run: (draft: ServiceDraft) =>
      api.patch<TaskService>(`/task-services/${service.kf_id}`, changesIn(before, draft)),
    touches: [['task-services']],
    said: ({ name }) => `${name} was saved.`,
    onDone: onClose,
  })
  return (
    <ServiceForm
      draft={before}
      title={`Edit ${service.name}`}
      save="Save"
      isBusy={save.isPending}
      error={save.error}
      onSave={(draft) => save.mutate(draft)}
      onClose={onClose}
    />
  )
}

function LastTasks({ id }: { readonly id: string }) {
  const query = useQuery(tasksQuery(usePageParts().api, lastTasksPath(id)))
  return (
    <QueryView query={query}>
      {({ results }) =>
        results.length === 0 ? (
          <Empty title="It has had no task yet.">It gets one in the next release, if it is enabled.</Empty>
        ) : (
          <TaskTable tasks={results} />
        )
      }
    </QueryView>
  )
}
