import { Button } from '@mantine/core'
import { useState } from 'react'
import { idOf, type Note, type Release } from '../../api-types.ts'
import { HinderedButton } from '../../components/hindered-button.tsx'
import { NoteText } from '../../components/note-text.tsx'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { useChange, useHindrance, useStudyNames } from '../../components/use-page.ts'
import { usePageParts } from '../../page-parts.ts'
import { NoteForm } from './note-form.tsx'
import { noteGroups, type NoteGroup } from './page.model.ts'

/** What people wrote about the release, and about each of its studies in it. */
export function Notes({ release }: { readonly release: Release }) {
  return (
    <div className="stack">
      {noteGroups(release, idOf).map((group) => (
        <Group key={group.study ?? 'release'} group={group} release={release} />
      ))}
    </div>
  )
}

function Group({ group, release }: { readonly group: NoteGroup; readonly release: Release }) {
  const nameOf = useStudyNames()
  const hindrance = useHindrance('note.write')
  const [isOpen, setOpen] = useState(false)
  return (
    <div className="note-group">
      <div className="note-head">
        <h3>{group.study === null ? 'The whole release' : nameOf(group.study)}</h3>
        {group.notes.length === 0 && !isOpen && <span className="muted">No note yet.</span>}
        {!isOpen && hindrance === null && (
          <Button
            size="compact-xs"
            variant="default"
            onClick={() => setOpen(true)}
            aria-label={`Write a note on ${group.study === null ? 'the whole release' : nameOf(group.study)}`}
          >
            Write a note
          </Button>
        )}
      </div>
      {group.study === null && hindrance !== null && (
        <p className="muted small">To write notes: {hindrance}</p>
      )}
      {isOpen && <NoteForm release={release} study={group.study} note={null} onDone={() => setOpen(false)} />}
      {group.notes.map((note) => (
        <OneNote key={note.kf_id} note={note} release={release} />
      ))}
    </div>
  )
}

function OneNote({ note, release }: { readonly note: Note; readonly release: Release }) {
  const [mode, setMode] = useState<'read' | 'edit' | 'remove'>('read')
  const hindrance = useHindrance('note.write')
  if (mode === 'edit')
    return <NoteForm release={release} study={idOf(note.study)} note={note} onDone={() => setMode('read')} />
  return (
    <>
      <NoteText note={note}>
        {hindrance === null && (
          <>
            <HinderedButton
              size="compact-xs"
              variant="default"
              hindrance={null}
              onClick={() => setMode('edit')}
            >
              Edit
            </HinderedButton>
            <HinderedButton
              size="compact-xs"
              variant="default"
              hindrance={null}
              onClick={() => setMode('remove')}
            >
              Remove
            </HinderedButton>
          </>
        )}
      </NoteText>
      {mode === 'remove' && <RemoveNote note={note} release={release} onClose={() => setMode('read')} />}
    </>
  )
}

function RemoveNote(props: { readonly note: Note; readonly release: Release; readonly onClose: () => void }) {
  const { note, release, onClose } = props
  const { api } = usePageParts()
  const remove = useChange({
    run: () => api.delete(`/release-notes/${note.kf_id}`),
    touches: [['release', release.kf_id], ['release-notes']],
    said: () => 'The note was removed.',
    onDone: onClose,
  })
  return (
    <ConfirmDialog
      title="Remove this note?"
      confirm="Remove the note"
      isDangerous
      isBusy={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    >
      <p>The note by {note.author} is deleted for everybody. That it was removed is recorded.</p>
    </ConfirmDialog>
  )
}
