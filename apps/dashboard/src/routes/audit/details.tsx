import { detailFields, type DetailField } from './details.model.ts'

/** What was asked for, one field a line; of long texts the beginning, and all of it for who opens it. */
export function Details({ detail }: { readonly detail: unknown }) {
  const fields = detailFields(detail)
  if (fields.length === 0) return '–'
  return (
    <dl className="fields">
      {fields.map((field, index) => (
        // A body may have a field called "method" as well; the order of an entry never changes.
        <div key={`${index} ${field.name}`}>
          <dt>{field.name}: </dt>
          <dd>
            <Value field={field} />
          </dd>
        </div>
      ))}
    </dl>
  )
}

function Value({ field: { text, head } }: { readonly field: DetailField }) {
  if (head === null) return text
  return (
    <details>
      <summary>{head}</summary>
      <div className="prewrap">{text}</div>
    </details>
  )
}
