import { lookOf } from '../states.ts'

/** A state with its sign, its word and its colour. */
export function StateBadge({ state }: { readonly state: string }) {
  const { sign, tone, meaning } = lookOf(state)
  return (
    <span className="badge" data-tone={tone} title={`${state}: ${meaning}`}>
      <span aria-hidden="true">{sign}</span> {state}
    </span>
  )
}

/** Any other short word with a tone. */
export function Tag({
  tone,
  sign,
  text,
}: {
  readonly tone: string
  readonly sign: string
  readonly text: string
}) {
  return (
    <span className="badge" data-tone={tone}>
      <span aria-hidden="true">{sign}</span> {text}
    </span>
  )
}
