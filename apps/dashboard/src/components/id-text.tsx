import { useClipboard } from '@mantine/hooks'

/** An id as it is, in a fixed width, with a button that copies it. */
export function IdText({ id }: { readonly id: string }) {
  const clipboard = useClipboard({ timeout: 1500 })
  return (
    <span className="id">
      <code>{id}</code>
      <button type="button" className="copy" onClick={() => clipboard.copy(id)} aria-label={`Copy ${id}`}>
        {clipboard.copied ? <span aria-hidden="true">✓</span> : <CopySign />}
        <span role="status" className="visually-hidden">
          {clipboard.copied ? 'copied' : ''}
        </span>
      </button>
    </span>
  )
}

function CopySign() {
  return (
    <svg
      width="13"
      height="13"
      viewBox="0 0 16 16"
      aria-hidden="true"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
    >
      <rect x="5.5" y="5.5" width="9" height="9" rx="1.5" />
      <path d="M10.5 2.5v-1h-9v9h1" />
    </svg>
  )
}
