import { PermanentError } from './define.ts'

const MOST_MESSAGE_CHARS = 2000
const MOST_STACK_CHARS = 20_000

/** Only the author's own word makes an error permanent: a dead port is a TypeError, a gateway's page a SyntaxError. */
export function isPermanent(error: unknown): boolean {
  return error instanceof PermanentError || (error instanceof Error && error.name === 'PermanentError')
}

/** What is kept of an error, its causes included (WK-8); never so much that it burdens the record. */
export function errorText(error: unknown, signal: AbortSignal): { message: string; stack: string } {
  const late = signal.aborted && signal.reason === 'attempt deadline'
  const message = late ? 'the attempt took longer than ATTEMPT_DEADLINE' : messageOf(error)
  return { message: message.slice(0, MOST_MESSAGE_CHARS), stack: stackOf(error).slice(0, MOST_STACK_CHARS) }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return `thrown: ${textOf(error)}`
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : ''
  return `${error.message || error.name}${cause}`
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return textOf(error)
  const cause = error.cause instanceof Error ? `\ncaused by ${error.cause.stack ?? error.cause.message}` : ''
  return `${error.stack ?? error.message}${cause}`
}

/** Anything can be thrown, also what has no text. */
function textOf(thrown: unknown): string {
  try {
    return String(thrown)
  } catch {
    return typeof thrown
  }
}
