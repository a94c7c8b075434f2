import { Button } from '@mantine/core'
import { useState, type FormEvent } from 'react'
import { ApiError } from '../../api-error.ts'
import type { Note, Release } from '../../api-types.ts'
import { MarkdownField } from '../../components/markdown-field.tsx'
import { ErrorNotice } from '../../components/notice.tsx'
import { useChange } from '../../components/use-page.ts'
import { usePageParts } from '../../page-parts.ts'

/** Writes a note, or changes one. @param note null: a new one */
export function NoteForm(props: {
  readonly release: Release
  readonly study: string | null
  readonly note: Note | null
  readonly onDone: () => void
}) {
  const { release, study, note, onDone } = props
  const { api } = usePageParts()
  const [text, setText] = useState(note?.description ?? '')
  const save = useChange({
    run: (description: string) =>
      note === null
        ? api.post<Note>('/release-notes', {
            description,
            release: `/releases/${release.kf_id}`,
            study: study === null ? null : `/studies/${study}`,
          })
        : api.patch<Note>(`/release-notes/${note.kf_id}`, { description }),
    touches: [['release', release.kf_id], ['release-notes']],
    said: () => 'The note was saved.',
    onDone: onDone,
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    save.mutate(text)
  }
  const fieldError = save.error instanceof ApiError ? save.error.fields['description'] : undefined
  return (
    <form className="stack tight" onSubmit={submit}>
      <MarkdownField label="Note" value={text} onChange={setText} error={fieldError} rows={4} />
      {save.error && fieldError === undefined && <ErrorNotice error={save.error} />}
      <div className="buttons">
        <Button size="xs" type="submit" loading={save.isPending} disabled={text.trim() === ''}>
          Save note
        </Button>
        <Button size="xs" variant="default" onClick={onDone}>
          Back
        </Button>
      </div>
    </form>
  )
}
