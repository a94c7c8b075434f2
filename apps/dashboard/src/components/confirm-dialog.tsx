import { Button, Group } from '@mantine/core'
import type { ReactNode } from 'react'
import { Dialog } from './dialog.tsx'
import { ErrorNotice } from './notice.tsx'

/** Asks before something is done that cannot be taken back; the way back has the focus. */
export function ConfirmDialog(props: {
  readonly title: string
  readonly confirm: string
  readonly isDangerous: boolean
  readonly isBusy: boolean
  readonly error: unknown
  readonly isPossible?: boolean
  readonly onConfirm: () => void
  readonly onClose: () => void
  readonly children: ReactNode
}) {
  const {
    title,
    confirm,
    isDangerous,
    isBusy,
    error,
    onConfirm,
    onClose,
    children,
    isPossible = true,
  } = props
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      {error !== null && error !== undefined && <ErrorNotice error={error} />}
      <Group justify="flex-end">
        <Button variant="default" data-autofocus onClick={onClose}>
          Back
        </Button>
        <Button
          onClick={onConfirm}
          loading={isBusy}
          disabled={!isPossible}
          {...(isDangerous ? { className: 'danger' } : {})}
        >
          {confirm}
        </Button>
      </Group>
    </Dialog>
  )
}
