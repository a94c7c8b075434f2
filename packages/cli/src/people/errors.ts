import { CliError } from '../errors.ts'
import { EXIT, type ExitName } from './exit-codes.ts'
import { printable } from './printable.ts'

interface Kind {
  readonly exit: ExitName
  readonly meaning: string
}

/** Every error of the commands for people and CI; docs/errors.md lists the same codes, and a test compares them. */
export const COMMAND_ERRORS = {
  USAGE_INVALID: { exit: 'usage', meaning: 'The command is not written as `--help` says; nobody was asked.' },
  CONFIRMATION_MISSING: {
    exit: 'usage',
    meaning: 'What cannot be undone was asked for where nobody can be asked back: it needs `--yes`.',
  },
  DECLINED: { exit: 'refused', meaning: 'The question was not answered with `yes`; nothing was done.' },
  NOT_FOUND: {
    exit: 'refused',
    meaning: 'The side that was asked knows no such id: `list` shows which there are.',
  },
  REFUSED: { exit: 'refused', meaning: 'The side that was asked refused; the message says why.' },
  ANSWER_UNREADABLE: {
    exit: 'refused',
    meaning: 'What answered is no coordinator, or no task service of this kind: look at its address.',
  },
  OTHER_END: {
    exit: 'refused',
    meaning: 'The release ended elsewhere than it was waited for: look at it with `releases show`.',
  },
  RELEASE_FAILED: { exit: 'failed', meaning: 'The release failed: `releases why` says of what.' },
  RELEASE_CANCELED: { exit: 'canceled', meaning: 'The release was canceled: `releases why` says by what.' },
  TIMED_OUT: {
    exit: 'timedOut',
    meaning: 'The release did not get there in time, and goes on: wait again, or see `releases why`.',
  },
  NOT_REACHABLE: {
    exit: 'notReachable',
    meaning:
      'No answer, or one that asks to come again later; nothing was done: look at the address, and ask again.',
  },
  OUTCOME_UNKNOWN: {
    exit: 'notReachable',
    meaning: 'The answer was lost: look whether it was done before you repeat it.',
  },
  CHECK_PLACE_TAKEN: {
    exit: 'usage',
    meaning: '`check`: somebody else listens where the checker would stand in for the coordinator.',
  },
  CHECK_REFUSED: {
    exit: 'refused',
    meaning: '`check`: it cannot be made without harm, or not at all; the message says why.',
  },
  NOT_PERMITTED: {
    exit: 'notPermitted',
    meaning: 'No good token, or one whose bearer may not do this: see [access.md](access.md).',
  },
} as const satisfies { readonly [code: string]: Kind }
export type CommandErrorCode = keyof typeof COMMAND_ERRORS

/** One of the commands for people and CI, which tell by the exit code what went wrong. */
export class CommandError extends CliError<CommandErrorCode> {
  override readonly name = 'CommandError'

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

/** The errors as Markdown, for docs/errors.md. */
export function errorsMarkdown(): string {
  const rows = Object.entries(COMMAND_ERRORS).map(
    ([code, { exit, meaning }]) => `| \`${code}\` | ${EXIT[exit]} | ${meaning} |`,
  )
  return ['| code | exit code | what it means, and what to do |', '|---|---|---|', ...rows].join('\n')
}
