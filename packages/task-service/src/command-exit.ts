import { PermanentError } from './define.ts'

/** How a program ended. */
export interface ProgramEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** EX_TEMPFAIL of sysexits.h: not now, try again. */
const TRY_AGAIN = 75
/** What a shell says of a program in it that was killed from outside: SIGKILL (also for lack of memory), SIGTERM. */
const KILLED_IN_SHELL = [128 + 9, 128 + 15]

const MOST_CAUSE_CHARS = 500
const MOST_CAUSE_LINES = 5

/** The error that an end is; null: it has done its work. Only another exit code than 75 is for good (WK-8). */
export function errorOfEnd(name: string, end: ProgramEnd, last: readonly string[]): Error | null {
  const { code, signal } = end
  if (code === 0) return null
  if (signal !== null) return withLines(new Error(`${name} was killed by ${signal}${causeOf(last)}`), last)
  if (code === TRY_AGAIN)
    return withLines(new Error(`${name} asks to be tried again (exit code 75)${causeOf(last)}`), last)
  const message = `${name} ended with exit code ${code}${causeOf(last)}`
  const again = code !== null && KILLED_IN_SHELL.includes(code)
  return withLines(again ? new Error(message) : new PermanentError(message), last)
}

/** The last lines, as many as people will read in one message: the cause is mostly in the very last. */
function causeOf(last: readonly string[]): string {
  const text = last.slice(-MOST_CAUSE_LINES).join('\n')
  if (text === '') return ''
  return `: ${text.length > MOST_CAUSE_CHARS ? `…${text.slice(-MOST_CAUSE_CHARS)}` : text}`
}

/** Where our own code stood tells nobody anything: instead all that is kept of the log. */
function withLines<E extends Error>(error: E, last: readonly string[]): E {
  error.stack = [error.message, '', 'The last lines of its log:', ...last].join('\n')
  return error
}

const CANNOT_BEGIN: { readonly [code: string]: string } = {
  ENOENT: 'there is no such program, or no such folder to run it in',
  EACCES: 'it is not executable',
  ENOTDIR: 'its path leads through something that is no folder',
}

/** The error where a program did not even begin: for good where it is not there or may not be run. */
export function errorOfStart(name: string, error: unknown): Error {
  const { code = '', message } = error as NodeJS.ErrnoException
  const why = CANNOT_BEGIN[code]
  if (why === undefined) return new Error(`Cannot run ${name}: ${message}`, { cause: error })
  return new PermanentError(`Cannot run ${name}: ${why} (${code})`)
}
