import { Button, Checkbox, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { Study } from '../../api-types.ts'
import { Empty } from '../../components/notice.tsx'
import { QueryView } from '../../components/query-view.tsx'
import { usePageParts } from '../../page-parts.ts'
import { studiesQuery } from '../../queries.ts'
import { findStudies, toggled } from './page.model.ts'

interface ChoiceProps {
  readonly chosen: readonly string[]
  readonly error: string | undefined
  readonly onChange: (chosen: string[]) => void
}

/** Studies, found by typing. */
export function StudyChoice(props: ChoiceProps) {
  const query = useQuery(studiesQuery(usePageParts().api))
  return (
    <fieldset className="fieldset">
      <legend>Studies</legend>
      <QueryView query={query}>{(page) => <Choice {...props} studies={page.results} />}</QueryView>
      {props.error !== undefined && <p className="field-error">{props.error}</p>}
    </fieldset>
  )
}

function Choice({ chosen, onChange, studies }: ChoiceProps & { readonly studies: readonly Study[] }) {
  const [text, setText] = useState('')
  const { shown, more } = findStudies(studies, text)
  if (studies.length === 0)
    return (
      <Empty title="There are no studies yet.">
        Read them from the Data Service on the page <Link to="/studies">Studies</Link>.
      </Empty>
    )
  return (
    <div className="stack tight">
      <Chosen chosen={chosen} studies={studies} onChange={onChange} />
      <TextInput
        label="Search by name or id"
        size="xs"
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <div className="choices" role="group" aria-label="Studies found">
        {shown.map(({ kf_id, name, last_pub_version }) => (
          <Checkbox
            key={kf_id}
            checked={chosen.includes(kf_id)}
            onChange={() => onChange(toggled(chosen, kf_id))}
            label={`${name} (${kf_id})`}
            description={
              last_pub_version === null ? 'never published' : `last published as ${last_pub_version}`
            }
          />
        ))}
        {shown.length === 0 && <p className="muted">No study has this in its name or id.</p>}
      </div>
      {more > 0 && <p className="muted">{more} more: type more of the name.</p>}
    </div>
  )
}

function Chosen({
  chosen,
  studies,
  onChange,
}: Omit<ChoiceProps, 'error'> & { readonly studies: readonly Study[] }) {
  const nameOf = (id: string) => studies.find(({ kf_id }) => kf_id === id)?.name ?? id
  if (chosen.length === 0) return <p className="muted">None is chosen yet.</p>
  return (
    <ul className="pills" aria-label="Chosen studies">
      {chosen.map((id) => (
        <li key={id}>
          <Button
            size="compact-xs"
            variant="default"
            onClick={() => onChange(toggled(chosen, id))}
            aria-label={`Do not release ${nameOf(id)}`}
            rightSection={<span aria-hidden="true">✕</span>}
          >
            {nameOf(id)}
          </Button>
        </li>
      ))}
    </ul>
  )
}
