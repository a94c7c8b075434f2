/** Every error of this package; docs/errors.md lists the same codes, and a test compares them. */
export const CLI_ERRORS = {
  TASK_FILE_INVALID: 'The task file is missing, cannot be loaded, or does not export a task.',
  PROGRAMS_MISSING: 'A task of programs needs one to stage and one to publish, and no task file beside them.',
  PROJECT_INVALID: 'The new project has no usable name, or its folder is not empty.',
  TOKEN_UNAVAILABLE: 'No token can be printed, because no issuer of `dev` has run with this data folder.',
  CHILD_FAILED: 'A process that `dev` started ended before it was ready.',
  BACKUP_SIDE_UNKNOWN: 'It is not clear which database is to be backed up: name the side, or the database.',
  BACKUP_OTHER_SIDE: 'The database that was found does not belong to the side that was named.',
  COORDINATOR_REFUSED: 'The coordinator refused what `dev` asked of it.',
} as const
export type CliErrorCode = keyof typeof CLI_ERRORS

/** An error for a person: the cause, and the next command to type. */
export class CliError<Code extends string = CliErrorCode> extends Error {
  override readonly name: string = 'CliError'
  readonly code: Code
  readonly next: string

  constructor(code: Code, message: string, next: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.next = next
  }
}
