/** Every error of this package; docs/errors.md lists the same codes, and a test compares them. */
export const COORDINATOR_ERRORS = {
  STUDIES_FILE_INVALID: 'The file of STUDIES_FILE is missing, or is not a list of studies.',
  DATASERVICE_ANSWER: 'The Data Service did not answer, or not with studies.',
  SYNC_REFUSED: 'A study synchronisation would delete more than half of the studies.',
  ID_COLLISION: 'No free id was found in many draws; the random source is broken.',
} as const
export type CoordinatorErrorCode = keyof typeof COORDINATOR_ERRORS

/** An error of the coordinator with its stable code. */
export class CoordinatorError extends Error {
  override readonly name = 'CoordinatorError'
  readonly code: CoordinatorErrorCode
  /** The status that the other side answered, where it did. */
  readonly status: number | null

  constructor(
    code: CoordinatorErrorCode,
    message: string,
    options: { cause?: unknown; status?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.status = options.status ?? null
  }
}
