import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { TaskService } from '../../api-types.ts'
import { HealthTag } from '../../components/health-tag.tsx'
import { HinderedButton } from '../../components/hindered-button.tsx'
import { IdText } from '../../components/id-text.tsx'
import { Empty } from '../../components/notice.tsx'
import { PageTitle } from '../../components/page-title.tsx'
import { QueryView } from '../../components/query-view.tsx'
import { Tag } from '../../components/state-badge.tsx'
import { Table } from '../../components/table.tsx'
import { useChange, useHindrance } from '../../components/use-page.ts'
import { usePageParts } from '../../page-parts.ts'
import { servicesQuery } from '../../queries.ts'
import { changesIn, EMPTY_SERVICE, type ServiceDraft } from './page.model.ts'
import { ServiceForm } from './service-form.tsx'

/** All task services, and the way to register one. */
export default function TaskServicesPage() {
  const [isOpen, setOpen] = useState(false)
  const query = useQuery(servicesQuery(usePageParts().api))
  const hindrance = useHindrance('service.write')
  return (
    <>
      <PageTitle title="Task services">
        <CheckButton />
        <HinderedButton hindrance={hindrance} onClick={() => setOpen(true)}>
          Register a service
        </HinderedButton>
      </PageTitle>
      {isOpen && <Register onClose={() => setOpen(false)} />}
      <QueryView query={query}>{(page) => <Listed services={page.results} />}</QueryView>
    </>
  )
}

function Register({ onClose }: { readonly onClose: () => void }) {
  const { api } = usePageParts()
  const navigate = useNavigate()
  const register = useChange({
    run: (draft: ServiceDraft) => api.post<TaskService>('/task-services', changesIn(EMPTY_SERVICE, draft)),
    touches: [['task-services']],
    said: (service) => `${service.name} answered and is registered.`,
    onDone: (service) => void navigate({ to: '/task-services/$id', params: { id: service.kf_id } }),
  })
  return (
    <ServiceForm
      draft={EMPTY_SERVICE}
      title="Register a task service"
      save="Register"
      isBusy={register.isPending}
      error={register.error}
      onSave={(draft) => register.mutate(draft)}
      onClose={onClose}
    />
  )
}

function CheckButton() {
  const { api } = usePageParts()
  const hindrance = useHindrance('service.check')
  const check = useChange({
    run: () => api.post('/task-services/health_checks'),
    touches: [['task-services']],
    said: () => 'All services are being asked how they are.',
  })
  return (
    <HinderedButton
      variant="default"
      hindrance={hindrance}
      isBusy={check.isPending}
      onClick={() => check.mutate()}
    >
      Check health now
    </HinderedButton>
  )
}

const COLUMNS = ['Service', 'Takes part', 'Health', 'Version', 'Address', 'Deadlines', 'Author']

function Listed({ services }: { readonly services: readonly TaskService[] }) {
  if (services.length === 0)
    return (
      <Empty title="No task service is registered.">
        Start one, then register its address here; it takes part in every release that begins afterwards.
      </Empty>
    )
  return (
    <Table label="Task services" columns={COLUMNS}>
      {services.map((service) => (
        <ServiceRow key={service.kf_id} service={service} />
      ))}
    </Table>
  )
}

function ServiceRow({ service }: { readonly service: TaskService }) {
  const own = Object.entries(service.deadlines ?? {}).filter(([, length]) => length !== null)
  return (
    <tr>
      <td data-name="Service" className="wide">
        <Link to="/task-services/$id" params={{ id: service.kf_id }} className="strong">
          {service.name}
        </Link>
        <br />
        <IdText id={service.kf_id} />
      </td>
      <td data-name="Takes part">
        {service.enabled ? (
          <Tag tone="good" sign="✓" text="enabled" />
        ) : (
          <Tag tone="idle" sign="○" text="disabled" />
        )}
      </td>
      <td data-name="Health">
        <HealthTag service={service} />
      </td>
      <td data-name="Version">{service.version ?? '–'}</td>
      <td data-name="Address" className="address">
        <code>{service.url}</code>
      </td>
      <td data-name="Deadlines">
        {own.length === 0 ? 'default' : own.map(([name, length]) => `${name} ${length}`).join(', ')}
      </td>
      <td data-name="Author">{service.author}</td>
    </tr>
  )
}
