import { PermanentError } from './define.ts'

/** Only the author's own word makes an error permanent: a dead port is a TypeError, a gateway's page a SyntaxError. */
export function isPermanent(error: unknown): boolean {
  return error instanceof PermanentError || (error instanceof Error && error.name === 'PermanentError')
}

/** What is kept of an error, its causes included. */
export function errorText(error: unknown, signal: AbortSignal): { message: string; stack: string } {
  if (signal.aborted && signal.reason === 'attempt deadline')
    return { message: 'the attempt took longer than ATTEMPT_DEADLINE', stack: stackOf(error) }
  return { message: messageOf(error), stack: stackOf(error) }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return `thrown: ${String(error)}`
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : ''
  return `${error.message || error.name}${cause}`
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause instanceof Error ? `\ncaused by ${error.cause.stack ?? error.cause.message}` : ''
  return `${error.stack ?? error.message}${cause}`
}
