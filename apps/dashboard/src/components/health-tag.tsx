import type { TaskService } from '../api-types.ts'
import { Tag } from './state-badge.tsx'

/** Whether a service answered lately. */
export function HealthTag({ service }: { readonly service: TaskService }) {
  const failed = service.last_ok_status
  if (service.health_status === 'down')
    return <Tag tone="bad" sign="✕" text={`down, ${failed} checks failed`} />
  if (failed > 0)
    return <Tag tone="ready" sign="!" text={`${failed} ${failed === 1 ? 'check' : 'checks'} failed`} />
  return <Tag tone="good" sign="✓" text="healthy" />
}
