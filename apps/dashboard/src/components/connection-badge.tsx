import { connectionMeaning, connectionText, isOld, type Connection } from '../connection.ts'
import { clockText, lengthText } from '../times.ts'
import { useNow } from './now.ts'
import { useConnection } from './use-page.ts'

const LOOK = {
  connecting: { tone: 'idle', sign: '◐' },
  live: { tone: 'good', sign: '●' },
  polling: { tone: 'ready', sign: '◐' },
  refused: { tone: 'bad', sign: '■' },
  lost: { tone: 'bad', sign: '✕' },
} as const

/** How well the page hears, always in sight. */
export function ConnectionBadge() {
  const connection = useConnection()
  const { tone, sign } = LOOK[connection.kind]
  return (
    <span
      role="status"
      className="badge"
      data-tone={tone}
      title={connectionMeaning(connection)}
      data-connection={connection.kind}
    >
      <span aria-hidden="true">{sign}</span> {connectionText(connection, clockText)}
    </span>
  )
}

/** Says over the whole page that it is old. */
export function OldPageBanner() {
  const connection = useConnection()
  return isOld(connection) ? <Banner connection={connection} /> : null
}

function Banner({ connection }: { readonly connection: Connection }) {
  const now = useNow()
  if (connection.kind !== 'lost')
    return (
      <div className="old-banner" role="alert">
        <strong>Sign in to read.</strong> {connectionMeaning(connection)}
      </div>
    )
  return (
    <div className="old-banner" role="alert">
      <strong>This page is old.</strong> {connectionMeaning(connection)} What you see is how things were at{' '}
      {clockText(connection.since)}
      <span aria-hidden="true">, {lengthText(now - connection.since)} ago</span>.
    </div>
  )
}
