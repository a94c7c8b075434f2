import { Checkbox } from '@mantine/core'
import type { ReactNode } from 'react'
import { LateInput } from './late-input.tsx'

/** One filter that is typed. */
export interface TextFilter {
  readonly name: string
  readonly label: string
  readonly placeholder?: string
}

/** Filters of a list, kept in the address by whoever uses them. */
export function TextFilters(props: {
  readonly label: string
  readonly filters: readonly TextFilter[]
  readonly values: Readonly<Record<string, string | undefined>>
  readonly onChange: (change: Record<string, string>) => void
  readonly children?: ReactNode
}) {
  return (
    <form
      role="search"
      aria-label={props.label}
      className="filters"
      onSubmit={(event) => event.preventDefault()}
    >
      {props.filters.map(({ name, label, placeholder = '' }) => (
        <LateInput
          key={name}
          label={label}
          placeholder={placeholder}
          value={props.values[name] ?? ''}
          onChange={(value) => props.onChange({ [name]: value })}
        />
      ))}
      {props.children}
    </form>
  )
}

/** Whether new entries appear by themselves. */
export function FollowBox({
  isOn,
  onChange,
}: {
  readonly isOn: boolean
  readonly onChange: (isOn: boolean) => void
}) {
  return (
    <Checkbox
      className="at-end"
      label="Follow: new ones appear at the top"
      checked={isOn}
      onChange={(event) => onChange(event.currentTarget.checked)}
    />
  )
}
