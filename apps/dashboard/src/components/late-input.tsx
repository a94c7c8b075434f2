import { TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { useEffect, useRef, useState } from 'react'

const LATE_MS = 300

/** A filter that is typed; it takes effect when the typing pauses. */
export function LateInput(props: {
  readonly label: string
  readonly placeholder?: string
  readonly value: string
  readonly onChange: (value: string) => void
}) {
  const { label, placeholder = '', value, onChange } = props
  const input = useRef<HTMLInputElement>(null)
  const [text, setText] = useState(value)
  const late = useDebouncedCallback((next: string) => onChange(next.trim()), LATE_MS)
  // The address changed by another way, such as a link; what is being typed is not taken away.
  useEffect(() => {
    if (document.activeElement !== input.current) setText(value)
  }, [value])
  return (
    <TextInput
      ref={input}
      size="xs"
      label={label}
      placeholder={placeholder}
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value)
        late(event.currentTarget.value)
      }}
    />
  )
}
