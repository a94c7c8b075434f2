import { Radio, TextInput } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { ApiError } from '../../api-error.ts'
import type { Release } from '../../api-types.ts'
import { HinderedButton } from '../../components/hindered-button.tsx'
import { MarkdownField } from '../../components/markdown-field.tsx'
import { ErrorNotice } from '../../components/notice.tsx'
import { PageTitle } from '../../components/page-title.tsx'
import { useChange, useHindrance } from '../../components/use-page.ts'
import { usePageParts } from '../../page-parts.ts'
import { firstHindrance } from '../../permissions.ts'
import { bodyOf, EMPTY_DRAFT, missingIn, type Draft } from './page.model.ts'
import { ServicesTakingPart } from './services.tsx'
import { StudyChoice } from './study-choice.tsx'

/** Makes a release: it begins as soon as it is made. */
export default function NewReleasePage() {
  const [draft, setDraft] = useState(EMPTY_DRAFT)
  const change = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }))
  const create = useCreate()
  const hindrance = firstHindrance(useHindrance('release.create'), missingIn(draft))
  const submit = () => {
    if (hindrance === null) create.mutate(draft)
  }
  return (
    <>
      <PageTitle title="New release" />
      <form
        className="panel stack form"
        onSubmit={(event) => {
          event.preventDefault()
          submit()
        }}
      >
        <Fields
          draft={draft}
          change={change}
          errors={create.error instanceof ApiError ? create.error.fields : {}}
        />
        <ServicesTakingPart />
        {create.error && <NotMade error={create.error} />}
        <p className="muted">
          It begins at once: the services prepare their part. Nothing is public before a person publishes it.
        </p>
        <HinderedButton hindrance={hindrance} isBusy={create.isPending} onClick={submit}>
          Make the release
        </HinderedButton>
      </form>
    </>
  )
}

function NotMade({ error }: { readonly error: Error }) {
  const isRefused = error instanceof ApiError && error.status === 403
  return (
    <>
      <ErrorNotice error={error} title="The release was not made." />
      {isRefused && (
        <p>A developer may release only the studies of its groups: choose others, or ask an admin.</p>
      )}
    </>
  )
}

function useCreate() {
  const { api } = usePageParts()
  const navigate = useNavigate()
  return useChange({
    run: (draft: Draft) => api.post<Release>('/releases', bodyOf(draft)),
    touches: [['releases'], ['studies']],
    said: (release) => `${release.name} was made and begins now.`,
    onDone: (release) => void navigate({ to: '/releases/$id', params: { id: release.kf_id } }),
  })
}

function Fields(props: {
  readonly draft: Draft
  readonly change: (part: Partial<Draft>) => void
  readonly errors: Readonly<Record<string, string>>
}) {
  const { draft, change, errors } = props
  return (
    <>
      <TextInput
        label="Name"
        required
        maxLength={256}
        value={draft.name}
        error={errors['name']}
        onChange={(event) => change({ name: event.currentTarget.value })}
      />
      <MarkdownField
        label="Description"
        value={draft.description}
        error={errors['description']}
        onChange={(description) => change({ description })}
      />
      <StudyChoice
        chosen={draft.studies}
        error={errors['studies']}
        onChange={(studies) => change({ studies })}
      />
      <Radio.Group
        label="Version"
        value={draft.isMajor ? 'major' : 'minor'}
        onChange={(value) => change({ isMajor: value === 'major' })}
      >
        <div className="stack tight">
          <Radio value="minor" label="Minor: the second number is raised, such as 1.4.0 to 1.5.0" />
          <Radio value="major" label="Major: the first number is raised, such as 1.4.0 to 2.0.0" />
        </div>
      </Radio.Group>
    </>
  )
}
