import { Button } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { Release } from '../../api-types.ts'
import { HinderedButton } from '../../components/hindered-button.tsx'
import { IdText } from '../../components/id-text.tsx'
import { MarkdownField } from '../../components/markdown-field.tsx'
import { Markdown } from '../../components/markdown.tsx'
import { ErrorNotice, Notice } from '../../components/notice.tsx'
import { StateBadge } from '../../components/state-badge.tsx'
import { TimeText } from '../../components/time-text.tsx'
import { useChange, useHindrance, useStudyNames, useKnownNow } from '../../components/use-page.ts'
import { usePageParts } from '../../page-parts.ts'
import { capital, waitingSentence } from '../../waiting.ts'
import { endSentence } from './page.model.ts'

/** What one must know first: the state, what it waits for, what is in it. */
export function Facts({ release }: { readonly release: Release }) {
  return (
    <section className="panel" aria-label="The release">
      <h2 className="visually-hidden">The release</h2>
      <div className="facts-line">
        <StateBadge state={release.state} />
        <span>
          Version <strong className="number">{release.version}</strong>
        </span>
        <span>{release.is_major ? 'Major release' : 'Minor release'}</span>
        <span>
          by <strong>{release.author}</strong>, <TimeText at={release.created_at} />
        </span>
        <IdText id={release.kf_id} />
        {release.tags.map((tag) => (
          <span key={tag} className="muted">
            #{tag}
          </span>
        ))}
      </div>
      <WaitingLine release={release} />
      <Studies ids={release.studies} />
      <Description release={release} />
    </section>
  )
}

function WaitingLine({ release }: { readonly release: Release }) {
  const now = useKnownNow()
  const { waiting_for: waiting, reason, partially_published: partial } = release
  const isPerson = waiting?.whom === 'person'
  return (
    <>
      <p className={isPerson ? 'waiting for-person' : 'waiting'}>
        {endSentence(release) ?? waitingSentence(waiting, now)}
      </p>
      {reason !== null && (
        <Notice tone={release.state === 'failed' ? 'error' : 'warning'} title="Why it was stopped:">
          <span className="prewrap">{capital(reason)}</span>
        </Notice>
      )}
      {partial.length > 0 && (
        <Notice tone="warning" title="Partly public.">
          These tasks had published before the release was stopped, and stay public: {partial.join(', ')}.
        </Notice>
      )}
    </>
  )
}

function Studies({ ids }: { readonly ids: readonly string[] }) {
  const nameOf = useStudyNames()
  return (
    <p>
      <span className="muted">{ids.length === 1 ? 'Study' : `${ids.length} studies`}: </span>
      {ids.map((id, index) => (
        <span key={id}>
          {index > 0 && ', '}
          <Link to="/studies/$id" params={{ id }} title={id}>
            {nameOf(id)}
          </Link>
        </span>
      ))}
    </p>
  )
}

function Description({ release }: { readonly release: Release }) {
  const [isOpen, setOpen] = useState(false)
  const hindrance = useHindrance('release.edit')
  if (isOpen) return <EditDescription release={release} onDone={() => setOpen(false)} />
  return (
    <div className="description">
      {release.description.trim() === '' ? (
        <p className="muted">No description.</p>
      ) : (
        <Markdown text={release.description} />
      )}
      {hindrance === null && (
        <HinderedButton
          size="compact-xs"
          variant="default"
          hindrance={hindrance}
          onClick={() => setOpen(true)}
        >
          Edit description
        </HinderedButton>
      )}
    </div>
  )
}

function EditDescription({ release, onDone }: { readonly release: Release; readonly onDone: () => void }) {
  const { api } = usePageParts()
  const [text, setText] = useState(release.description)
  const save = useChange({
    run: (description: string) => api.patch<Release>(`/releases/${release.kf_id}`, { description }),
    touches: [['release', release.kf_id], ['releases']],
    said: () => 'The description was saved.',
    onDone: onDone,
  })
  return (
    <form
      className="stack tight"
      onSubmit={(event) => {
        event.preventDefault()
        save.mutate(text)
      }}
    >
      <MarkdownField label="Description" value={text} onChange={setText} />
      {save.error && <ErrorNotice error={save.error} />}
      <div className="buttons">
        <Button size="xs" type="submit" loading={save.isPending}>
          Save
        </Button>
        <Button size="xs" variant="default" onClick={onDone}>
          Back
        </Button>
      </div>
    </form>
  )
}
