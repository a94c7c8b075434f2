/** Every error of this package; docs/errors.md lists the same codes, and a test compares them. */
export const TASK_SERVICE_ERRORS = {
  INPUT_INVALID: 'The request is malformed: the message names the field and what it should be.',
  ACTION_NOT_LEGAL: 'The state of the task does not allow the action.',
  RELEASE_MISMATCH: 'The task belongs to another release than the one the action names.',
  TASK_NOT_FOUND: 'No task with this id was ever initialized here.',
  PERSON_NOT_NEEDED: 'Nothing of this task can be retried or given up by a person now.',
  LATE_REPORT:
    'A worker reported with an attempt number that is no longer the current one; nothing was changed.',
  LEASE_LOST: 'The attempt no longer holds its task: it was canceled, or another worker took it over.',
  NOT_AN_API: 'The process is a worker and takes no requests about tasks: ask a process in role api.',
  NOT_PERMITTED: 'The request has no good token, or its bearer may not do this.',
  PATH_NOT_FOUND: 'There is no such path.',
  METHOD_NOT_ALLOWED: 'The path exists, but not with this method.',
  SHUTTING_DOWN: 'The service is stopping and takes no action; ask again shortly.',
  STORE_UNAVAILABLE: 'The database did not take the change; nothing was stored, ask again shortly.',
  RESULT_INVALID: 'What the author’s code returned is not a small JSON value.',
  COORDINATOR_ANSWER: 'The coordinator answered something else than was asked for.',
  RELEASE_DIR_DIFFERS:
    'The release folder on this host is not the one of this service: mount the same file system on every host.',
  RELEASE_DIR_FOREIGN: 'The release folder belongs to another task service: give each its own.',
  RELEASE_DIR_UNUSABLE: 'The release folder cannot be created, read or written; it is tried again.',
  FREE_SPACE_LOW: 'The file system of the release folder has less free space than MIN_FREE_SPACE.',
  PROGRAM_STILL_RUNS:
    'Processes of an earlier run of a program do not end, not even when killed: no other run begins beside them.',
} as const
export type TaskServiceErrorCode = keyof typeof TASK_SERVICE_ERRORS

/** An error of the SDK with its stable code. */
export class TaskServiceError extends Error {
  override readonly name = 'TaskServiceError'
  readonly code: TaskServiceErrorCode

  constructor(code: TaskServiceErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}
