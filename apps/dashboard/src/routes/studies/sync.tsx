import { useState } from 'react'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { HinderedButton } from '../../components/hindered-button.tsx'
import { ErrorNotice } from '../../components/notice.tsx'
import { useChange, useHindrance } from '../../components/use-page.ts'
import { usePageParts } from '../../page-parts.ts'
import { mayForce, syncText, type SyncAnswer } from './page.model.ts'

/** Reads the studies from the Data Service; where too many would go, only after asking. */
export function SyncStudies() {
  const { api } = usePageParts()
  const hindrance = useHindrance('study.sync')
  const [isAsked, setAsked] = useState(false)
  const sync = useChange({
    run: (force: boolean) => api.post<SyncAnswer>(force ? '/studies/sync?force=true' : '/studies/sync'),
    touches: [['studies']],
    said: syncText,
    onDone: () => setAsked(false),
  })
  return (
    <>
      <HinderedButton hindrance={hindrance} isBusy={sync.isPending} onClick={() => sync.mutate(false)}>
        Synchronise
      </HinderedButton>
      {sync.error && <ErrorNotice error={sync.error} title="Not synchronised." />}
      {mayForce(sync.error) && (
        <HinderedButton variant="default" hindrance={hindrance} onClick={() => setAsked(true)}>
          Synchronise all the same…
        </HinderedButton>
      )}
      {isAsked && (
        <ConfirmDialog
          title="Mark more than half of the studies as gone?"
          confirm="Synchronise all the same"
          isDangerous
          isBusy={sync.isPending}
          error={null}
          onConfirm={() => sync.mutate(true)}
          onClose={() => setAsked(false)}
        >
          <p>
            The Data Service names fewer than half of the studies that are known here. Go on only if you know
            why.
          </p>
        </ConfirmDialog>
      )}
    </>
  )
}
