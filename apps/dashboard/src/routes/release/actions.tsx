import { useState } from 'react'
import type { Release } from '../../api-types.ts'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { HinderedButton } from '../../components/hindered-button.tsx'
import { useActorName, useChange, useHindrance, useStudyNames } from '../../components/use-page.ts'
import { usePageParts } from '../../page-parts.ts'
import { firstHindrance } from '../../permissions.ts'
import {
  cancelConsequences,
  cancelHindrance,
  publishConsequences,
  publishHindrance,
  type Consequences,
} from './page.model.ts'

type Asked = 'publish' | 'cancel' | null

/** Publishing and canceling; both ask first, and both say why they are not possible. */
export function ReleaseActions({ release }: { readonly release: Release }) {
  const [asked, setAsked] = useState<Asked>(null)
  const publish = firstHindrance(publishHindrance(release), useHindrance('release.publish'))
  const cancel = firstHindrance(cancelHindrance(release), useHindrance('release.cancel'))
  return (
    <>
      <HinderedButton hindrance={publish} onClick={() => setAsked('publish')}>
        Publish…
      </HinderedButton>
      <HinderedButton variant="default" hindrance={cancel} onClick={() => setAsked('cancel')}>
        Cancel the release…
      </HinderedButton>
      {asked === 'publish' && (
        <PublishDialog release={release} hindrance={publish} onClose={() => setAsked(null)} />
      )}
      {asked === 'cancel' && (
        <CancelDialog release={release} hindrance={cancel} onClose={() => setAsked(null)} />
      )}
    </>
  )
}

interface DialogProps {
  readonly release: Release
  /** It may have become impossible while the dialog was open. */
  readonly hindrance: string | null
  readonly onClose: () => void
}

const touchesOf = ({ kf_id }: Release) => [['release', kf_id], ['releases'], ['release-log', kf_id]]

function PublishDialog({ release, hindrance, onClose }: DialogProps) {
  const { api } = usePageParts()
  const names = release.studies.map(useStudyNames())
  const publish = useChange({
    run: () => api.post(`/releases/${release.kf_id}/publish`),
    touches: touchesOf(release),
    said: () => `${release.name} is being published.`,
    onDone: onClose,
  })
  const said = publishConsequences(release, names, useActorName())
  return <Asking said={said} change={publish} hindrance={hindrance} isDangerous={false} onClose={onClose} />
}

function CancelDialog({ release, hindrance, onClose }: DialogProps) {
  const { api } = usePageParts()
  const cancel = useChange({
    run: () => api.delete(`/releases/${release.kf_id}`),
    touches: touchesOf(release),
    said: () => `${release.name} is being stopped.`,
    onDone: onClose,
  })
  const said = cancelConsequences(release, useActorName())
  return <Asking said={said} change={cancel} hindrance={hindrance} isDangerous onClose={onClose} />
}

function Asking(props: {
  readonly said: Consequences
  readonly change: {
    readonly isPending: boolean
    readonly error: unknown
    readonly mutate: (input: void) => void
  }
  readonly hindrance: string | null
  readonly isDangerous: boolean
  readonly onClose: () => void
}) {
  const { said, change, hindrance, isDangerous, onClose } = props
  return (
    <ConfirmDialog
      title={said.title}
      confirm={said.confirm}
      isDangerous={isDangerous}
      isBusy={change.isPending}
      error={change.error ?? (hindrance === null || change.isPending ? null : hindrance)}
      isPossible={hindrance === null}
      onConfirm={() => change.mutate()}
      onClose={onClose}
    >
      <ul className="points">
        {said.points.map((point) => (
          <li key={point}>{point}</li>
        ))}
      </ul>
    </ConfirmDialog>
  )
}
