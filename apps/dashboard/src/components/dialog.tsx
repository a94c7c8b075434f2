import { Modal } from '@mantine/core'
import type { ReactNode } from 'react'
import { useFocusBack } from './use-focus-back.ts'

/** A dialog in the middle of the page; afterwards the focus is where it was. */
export function Dialog(props: {
  readonly title: string
  readonly onClose: () => void
  readonly children: ReactNode
}) {
  useFocusBack()
  return (
    <Modal.Root opened onClose={props.onClose} centered>
      <Modal.Overlay />
      <Modal.Content>
        {/* Mantine's own is a second <header> of the page. */}
        <div className="dialog-head">
          <Modal.Title>{props.title}</Modal.Title>
          <Modal.CloseButton aria-label="Close" />
        </div>
        <Modal.Body>
          <div className="stack">{props.children}</div>
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  )
}
