/** How the page hears of changes; times are epoch ms. */
export type Connection =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live'; readonly since: number }
  | { readonly kind: 'polling'; readonly since: number }
  | { readonly kind: 'refused'; readonly since: number }
  | { readonly kind: 'lost'; readonly since: number }

const FIRST_MS = 500
const MOST_MS = 10 * 1000 // 10 s: longer would let a person wait for a coordinator that is back

/** How long to wait after so many failures in a row; with jitter, so that pages do not come back together. Pure. */
export function backoffMs(failures: number, random: number): number {
  const most = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(failures, 10))
  return Math.round(most / 2 + (random * most) / 2)
}

/** Whether what the page shows may not be how things are. Pure. */
export function isOld(connection: Connection): boolean {
  return connection.kind === 'lost' || connection.kind === 'refused'
}

/** The connection in a word for the header. Pure. */
export function connectionText(connection: Connection, clockOf: (ms: number) => string): string {
  switch (connection.kind) {
    case 'connecting':
      return 'Connecting'
    case 'live':
      return 'Live'
    case 'polling':
      return 'Polling'
    case 'refused':
      return 'Not allowed'
    case 'lost':
      return `Lost since ${clockOf(connection.since)}`
  }
}

/** What the connection means for who reads the page. Pure. */
export function connectionMeaning(connection: Connection): string {
  switch (connection.kind) {
    case 'connecting':
      return 'The page is connecting to the coordinator.'
    case 'live':
      return 'Changes appear within a second.'
    case 'polling':
      return 'The event stream is not available, so the page asks every few seconds. Changes appear a little later.'
    case 'refused':
      return 'The coordinator lets only people read who are signed in.'
    case 'lost':
      return 'The coordinator does not answer. The page tries again by itself.'
  }
}
