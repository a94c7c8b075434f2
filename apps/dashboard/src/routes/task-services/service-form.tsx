import { Button, TextInput } from '@mantine/core'
import { useState, type FormEvent } from 'react'
import { ApiError } from '../../api-error.ts'
import { DEADLINE_NAMES } from '../../api-types.ts'
import { HinderedButton } from '../../components/hindered-button.tsx'
import { ErrorNotice, Notice } from '../../components/notice.tsx'
import { DEADLINE_MEANING, missingIn, type ServiceDraft } from './page.model.ts'

interface FormProps {
  readonly draft: ServiceDraft
  readonly title: string
  readonly save: string
  readonly isBusy: boolean
  readonly error: unknown
  readonly onSave: (draft: ServiceDraft) => void
  readonly onClose: () => void
}

/** A task service to be registered or changed. */
export function ServiceForm({ draft: first, title, save, isBusy, error, onSave, onClose }: FormProps) {
  const [draft, setDraft] = useState(first)
  const hindrance = missingIn(draft)
  const submit = (event?: FormEvent) => {
    event?.preventDefault()
    if (hindrance === null) onSave(draft)
  }
  const fields = error instanceof ApiError ? error.fields : {}
  return (
    <form className="panel stack form" aria-label={title} onSubmit={submit}>
      <h2>{title}</h2>
      <Texts draft={draft} change={(part) => setDraft({ ...draft, ...part })} fields={fields} />
      <Deadlines
        draft={draft}
        change={(part) => setDraft({ ...draft, ...part })}
        error={fields['deadlines']}
      />
      {error !== null && error !== undefined && <NotSaved error={error} fields={fields} />}
      <div className="buttons">
        <HinderedButton hindrance={hindrance} isBusy={isBusy} onClick={submit}>
          {save}
        </HinderedButton>
        <Button variant="default" onClick={onClose}>
          Back
        </Button>
      </div>
      <p className="muted">
        When the address is new, the coordinator calls it at once and takes it only if a task service answers.
      </p>
    </form>
  )
}

interface PartProps {
  readonly draft: ServiceDraft
  readonly change: (part: Partial<ServiceDraft>) => void
}

const TEXTS = [
  ['name', 'Name', 100],
  ['description', 'Description', 500],
  ['author', 'Author', 100],
  ['url', 'Address', 200],
] as const

function Texts({ draft, change, fields }: PartProps & { readonly fields: Readonly<Record<string, string>> }) {
  return TEXTS.map(([name, label, most]) => (
    <TextInput
      key={name}
      label={label}
      required
      maxLength={most}
      value={draft[name]}
      error={fields[name]}
      onChange={(event) => change({ [name]: event.currentTarget.value })}
    />
  ))
}

function Deadlines({ draft, change, error }: PartProps & { readonly error: string | undefined }) {
  return (
    <fieldset className="fieldset">
      <legend>Deadlines</legend>
      <p className="muted">
        Empty: the coordinator’s setting counts. They hold for releases that begin afterwards.
      </p>
      <div className="stack tight">
        {DEADLINE_NAMES.map((name) => (
          <TextInput
            key={name}
            label={name}
            description={DEADLINE_MEANING[name]}
            placeholder="such as 30m"
            value={draft.deadlines[name]}
            onChange={(event) =>
              change({ deadlines: { ...draft.deadlines, [name]: event.currentTarget.value } })
            }
          />
        ))}
      </div>
      {error !== undefined && <p className="field-error">{error}</p>}
    </fieldset>
  )
}

/** What is said at a field is not said twice. */
function NotSaved({
  error,
  fields,
}: {
  readonly error: unknown
  readonly fields: Readonly<Record<string, string>>
}) {
  if (Object.keys(fields).length === 0) return <ErrorNotice error={error} title="It was not saved." />
  return (
    <Notice tone="error" title="It was not saved.">
      See the fields that are marked.
    </Notice>
  )
}
