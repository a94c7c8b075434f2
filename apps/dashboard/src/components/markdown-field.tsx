import { SegmentedControl, Textarea } from '@mantine/core'
import { useId, useState } from 'react'
import { Markdown } from './markdown.tsx'

/** A text in Markdown: written, or looked at as it will appear. */
export function MarkdownField(props: {
  readonly label: string
  readonly value: string
  readonly onChange: (value: string) => void
  readonly error?: string | undefined
  readonly rows?: number
}) {
  const { label, value, onChange, error, rows = 6 } = props
  const [mode, setMode] = useState('write')
  const id = useId()
  const modes = [
    { value: 'write', label: 'Write' },
    { value: 'preview', label: 'Preview' },
  ]
  return (
    <div className="stack tight">
      <div className="field-head">
        <label htmlFor={id}>{label}</label>
        <SegmentedControl
          aria-label={`${label}: write or preview`}
          size="xs"
          data={modes}
          value={mode}
          onChange={setMode}
        />
      </div>
      {mode === 'write' ? (
        <Textarea
          id={id}
          description="Markdown: **bold**, lists, links. HTML is not shown."
          value={value}
          onChange={(event) => onChange(event.currentTarget.value)}
          error={error}
          minRows={rows}
          rows={rows}
          maxLength={5000}
        />
      ) : (
        <div className="preview">
          {value.trim() === '' ? <p className="muted">Nothing is written yet.</p> : <Markdown text={value} />}
        </div>
      )}
    </div>
  )
}
