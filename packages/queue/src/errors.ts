/** Every error of this package; docs/errors.md lists the same codes, and a test compares them. */
export const QUEUE_ERRORS = {
  QUEUE_URL_INVALID: 'The address of the queue has a form that is not supported.',
  QUEUE_NAME_INVALID: 'The name of the queue has a character that Redis keys are divided by.',
  QUEUE_PACKAGES_MISSING: 'The address of a Redis is set, but the packages that reach it are not installed.',
} as const
export type QueueErrorCode = keyof typeof QUEUE_ERRORS

export class QueueError extends Error {
  override readonly name = 'QueueError'
  readonly code: QueueErrorCode

  constructor(code: QueueErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}
