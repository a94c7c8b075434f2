import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { TaskService } from '../../api-types.ts'
import { HealthTag } from '../../components/health-tag.tsx'
import { Notice } from '../../components/notice.tsx'
import { QueryView } from '../../components/query-view.tsx'
import { usePageParts } from '../../page-parts.ts'
import { servicesQuery } from '../../queries.ts'
import { servicesWarning, takingPart } from './page.model.ts'

/** Which services will get a task, and how they are. */
export function ServicesTakingPart() {
  const query = useQuery(servicesQuery(usePageParts().api))
  return (
    <section aria-label="Task services">
      <h2>Task services</h2>
      <QueryView query={query}>{(page) => <Listed services={page.results} />}</QueryView>
    </section>
  )
}

function Listed({ services }: { readonly services: readonly TaskService[] }) {
  const { taking, not } = takingPart(services)
  const warning = servicesWarning(services)
  return (
    <div className="stack tight">
      {warning !== null && <Notice tone="warning">{warning}</Notice>}
      {taking.length > 0 && (
        <ul className="plain-list" aria-label="Services that will take part">
          {taking.map((service) => (
            <li key={service.kf_id}>
              <Link to="/task-services/$id" params={{ id: service.kf_id }}>
                {service.name}
              </Link>{' '}
              takes part <HealthTag service={service} />
            </li>
          ))}
        </ul>
      )}
      {not.length > 0 && (
        <p className="muted">Disabled, will not take part: {not.map(({ name }) => name).join(', ')}.</p>
      )}
    </div>
  )
}
