import { CliError } from './errors.ts'

/** Where an error came up: which side was started, and whether `dev` started it. */
export interface Place {
  readonly side: 'coordinator' | 'task service' | 'dev'
  readonly underDev: boolean
}

type Next = (message: string, place: Place) => string

/** The next free-looking port, as a flag of `dev` or a setting of a side that was started alone. */
const otherPort: Next = (message, { side, underDev }) => {
  const port = Number(/Port (\d+)/.exec(message)?.[1] ?? 0) + 100
  // The only port that `dev` itself opens is the issuer's.
  const own = { coordinator: 'coordinator', 'task service': 'task', dev: 'issuer' }[side]
  return underDev ? `npm start -- --${own}-port ${port}` : `PORT=${port} npm run ${own}`
}

/** What to type next, by the code of an error. */
const NEXT: { readonly [code: string]: Next } = {
  PORT_IN_USE: otherPort,
  DATABASE_IN_USE: (message, { underDev }) =>
    underDev ? 'npm start -- --data .data-2' : `kill ${/Process (\d+)/.exec(message)?.[1] ?? 'PID'}`,
  DATABASE_URL_INVALID: () => 'DATABASE_URL=sqlite:.data/task.db, or postgres://USER:PASSWORD@HOST/DATABASE',
  DATABASE_NEWER: () => 'npx release-task --version, and compare it with what ran last',
  QUEUE_URL_INVALID: () => 'QUEUE_URL=redis://127.0.0.1:6379',
  DATABASE_FOREIGN: () => 'npm start -- --data .data-2',
  ADDRESS_REFUSED: () => 'AUTH=off AUTH_OFF_PUBLIC=yes HOST=0.0.0.0 npm run coordinator',
  RELEASE_DIR_FOREIGN: () => 'RELEASE_DIR=.data/other npm run task',
  SETTINGS_INVALID: () => 'npx release-task serve --help',
  STUDIES_FILE_INVALID: () => 'npx release-task coordinator --help',
}

/** An error for a person, in one line: the cause, and the next command to type. */
export function explain(error: unknown, place: Place): string {
  if (error instanceof CliError) return `${error.message}. Next: ${error.next}`
  const { code, message, stack } = error as { code?: string; message?: string; stack?: string }
  const next = code === undefined ? undefined : NEXT[code]
  if (next && message) return `${message}. Next: ${next(message, place)}`
  // Without a code it is a mistake in our code, not in what was typed: whoever reports it needs the place.
  return (code === undefined ? stack : message) ?? String(error)
}
