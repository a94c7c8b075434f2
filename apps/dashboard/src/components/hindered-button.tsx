import { Button, type ButtonProps } from '@mantine/core'
import { useId, type ReactNode } from 'react'
import type { Hindrance } from '../permissions.ts'

/** A button that says why it cannot be pressed; it keeps its place in the keyboard order, so everybody gets the reason. */
export function HinderedButton({
  hindrance,
  onClick,
  children,
  isBusy = false,
  ...props
}: ButtonProps & {
  readonly hindrance: Hindrance
  readonly onClick: () => void
  readonly isBusy?: boolean
  readonly children: ReactNode
}) {
  const id = useId()
  const isOff = hindrance !== null
  return (
    <span className="hindered">
      <Button
        {...props}
        loading={isBusy}
        aria-disabled={isOff}
        {...(isOff ? { 'data-disabled': true } : {})}
        aria-describedby={isOff ? id : undefined}
        onClick={(event) => (isOff ? event.preventDefault() : onClick())}
      >
        {children}
      </Button>
      {isOff && (
        <span id={id} className="hindrance">
          {hindrance}
        </span>
      )}
    </span>
  )
}
