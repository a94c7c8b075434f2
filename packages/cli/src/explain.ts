import { CliError } from './errors.ts'

/** What to type next, by the code of an error. */
const NEXT: { readonly [code: string]: string } = {
  PORT_IN_USE:
    'Next: stop that process, or choose other ports: npm start -- --coordinator-port 5101 --task-port 8382',
  DATABASE_IN_USE: 'Next: stop that process, or use another folder: npm start -- --data .data-2',
  DATABASE_FOREIGN: 'Next: give each service its own DATABASE_URL, or another --data folder.',
  ADDRESS_REFUSED: 'Next: leave HOST unset, or set AUTH=off as well.',
  SETTINGS_INVALID: 'Next: release-task <command> --help lists every setting and its form.',
}

/** An error for a person: the cause in one line, and the next command to type. */
export function explain(error: unknown): string[] {
  if (error instanceof CliError) return [error.message, error.next]
  const { code, message, stack } = error as { code?: string; message?: string; stack?: string }
  const next = code === undefined ? undefined : NEXT[code]
  if (next) return [message ?? String(error), next]
  if (code !== undefined) return [message ?? String(error)]
  // A mistake in our code, not in what was typed: whoever reports it needs the place.
  return [stack ?? String(error)]
}
