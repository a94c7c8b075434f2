import { EXIT, type ExitName } from './exit-codes.ts'
import { printable } from './printable.ts'

interface Kind {
  readonly exit: ExitName
  readonly meaning: string
}

/** Every error of the commands for people and CI; docs/commands.md lists the same codes, and a test compares them. */
export const COMMAND_ERRORS = {
  USAGE_INVALID: { exit: 'usage', meaning: 'The command is not written as `--help` says.' },
  CONFIRMATION_MISSING: {
    exit: 'usage',
    meaning: 'What cannot be undone was asked for where nobody can be asked back: it needs `--yes`.',
  },
  DECLINED: { exit: 'refused', meaning: 'The question was not answered with `yes`.' },
  NOT_FOUND: { exit: 'refused', meaning: 'The side that was asked knows no such id.' },
  REFUSED: { exit: 'refused', meaning: 'The side that was asked refused; the message says why.' },
  ANSWER_UNREADABLE: {
    exit: 'refused',
    meaning: 'What answered is no coordinator, or no task service of this kind.',
  },
  OTHER_END: { exit: 'refused', meaning: 'The release ended elsewhere than it was waited for.' },
  RELEASE_FAILED: { exit: 'failed', meaning: 'The release failed.' },
  RELEASE_CANCELED: { exit: 'canceled', meaning: 'The release was canceled.' },
  TIMED_OUT: { exit: 'timedOut', meaning: 'The release did not get there in time; it goes on.' },
  NOT_REACHABLE: {
    exit: 'notReachable',
    meaning: 'No answer, or one that asks to come again later: nothing was done.',
  },
  OUTCOME_UNKNOWN: {
    exit: 'notReachable',
    meaning: 'The answer was lost: look whether it was done before you repeat it.',
  },
  NOT_PERMITTED: { exit: 'notPermitted', meaning: 'No good token, or one whose bearer may not do this.' },
} as const satisfies { readonly [code: string]: Kind }
export type CommandErrorCode = keyof typeof COMMAND_ERRORS

/** An error for whoever typed the command: the cause, and what to do next. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly code: CommandErrorCode
  readonly next: string

  constructor(code: CommandErrorCode, message: string, next: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.next = next
  }

  get exitCode(): number {
    return EXIT[COMMAND_ERRORS[this.code].exit]
  }
}

/** As it is printed on stderr: one line for people, one object for programs. */
export function errorText(
  { message, code, next }: Pick<CommandError, 'message' | 'code' | 'next'>,
  json: boolean,
): string {
  return json ? JSON.stringify({ error: { message, code, next } }) : printable(`${message}. Next: ${next}`)
}

/** The errors as Markdown, for docs/commands.md. */
export function errorsMarkdown(): string {
  const rows = Object.entries(COMMAND_ERRORS).map(
    ([code, { exit, meaning }]) => `| \`${code}\` | ${EXIT[exit]} | ${meaning} |`,
  )
  return ['| code | exit code | what it means |', '|---|---|---|', ...rows].join('\n')
}
