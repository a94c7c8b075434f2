import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { TaskService } from '../../api-types.ts'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { HinderedButton } from '../../components/hindered-button.tsx'
import { useChange, useHindrance } from '../../components/use-page.ts'
import { usePageParts } from '../../page-parts.ts'
import { switchMeaning } from './page.model.ts'

/** Lets a service take part in the next releases, or not. */
export function SwitchService({ service }: { readonly service: TaskService }) {
  const { api } = usePageParts()
  const [isAsked, setAsked] = useState(false)
  const hindrance = useHindrance('service.write')
  const word = service.enabled ? 'Disable' : 'Enable'
  const change = useChange({
    run: () => api.patch<TaskService>(`/task-services/${service.kf_id}`, { enabled: !service.enabled }),
    touches: [['task-services']],
    said: ({ name, enabled }) => `${name} is ${enabled ? 'enabled' : 'disabled'} now.`,
    onDone: () => setAsked(false),
  })
  return (
    <>
      <HinderedButton hindrance={hindrance} variant="default" onClick={() => setAsked(true)}>
        {word}…
      </HinderedButton>
      {isAsked && (
        <ConfirmDialog
          title={`${word} ${service.name}?`}
          confirm={word}
          isDangerous={false}
          isBusy={change.isPending}
          error={change.error}
          onConfirm={() => change.mutate()}
          onClose={() => setAsked(false)}
        >
          <p>{switchMeaning(service)}</p>
        </ConfirmDialog>
      )}
    </>
  )
}

/** Takes a service out of the register. */
export function RemoveService({ service }: { readonly service: TaskService }) {
  const { api } = usePageParts()
  const navigate = useNavigate()
  const [isAsked, setAsked] = useState(false)
  const hindrance = useHindrance('service.write')
  const remove = useChange({
    run: () => api.delete(`/task-services/${service.kf_id}`),
    touches: [['task-services', 'all']],
    said: () => `${service.name} was removed.`,
    onDone: () => void navigate({ to: '/task-services' }),
  })
  return (
    <>
      <HinderedButton hindrance={hindrance} variant="default" onClick={() => setAsked(true)}>
        Remove…
      </HinderedButton>
      {isAsked && (
        <ConfirmDialog
          title={`Remove ${service.name}?`}
          confirm="Remove the service"
          isDangerous
          isBusy={remove.isPending}
          error={remove.error}
          onConfirm={() => remove.mutate()}
          onClose={() => setAsked(false)}
        >
          <p>
            It is taken out of the register, and its tasks of releases that have ended go with it. Events
            stay. To keep its history, disable it instead. While a release with it is under way, the
            coordinator refuses.
          </p>
        </ConfirmDialog>
      )}
    </>
  )
}
