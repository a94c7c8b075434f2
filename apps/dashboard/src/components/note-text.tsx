import type { ReactNode } from 'react'
import type { Note } from '../api-types.ts'
import { Markdown } from './markdown.tsx'
import { TimeText } from './time-text.tsx'

/** A note with who wrote it and when. */
export function NoteText({ note, children }: { readonly note: Note; readonly children?: ReactNode }) {
  return (
    <article className="note" aria-label={`Note by ${note.author}`}>
      <Markdown text={note.description} />
      <p className="note-foot">
        <span className="muted">
          {note.author}, <TimeText at={note.created_at} />
        </span>
        {children}
      </p>
    </article>
  )
}
