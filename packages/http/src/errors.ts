/** Every error of this package; docs/errors.md lists the same codes, and a test compares them. */
export const HTTP_ERRORS = {
  PORT_IN_USE: 'Another process listens on the port.',
  ADDRESS_REFUSED: 'Listening on a public address without authentication was not asked for explicitly.',
  LISTEN_FAILED: 'The address cannot be listened on: not an address of this machine, or a privileged port.',
  ADDRESS_NOT_CALLED:
    'An address that somebody registered is link-local, metadata or such, or private with PRIVATE_ADDRESSES=refuse.',
  REQUEST_UNREADABLE:
    'What arrived is no HTTP request, or lacks what every request has; the message says what.',
  REQUEST_TOO_SLOW: 'A request did not arrive in time: 15 s for its headers, 60 s for all of it.',
  HEAD_TOO_LARGE: 'Address and headers of a request are larger than 16 KiB together.',
  ADDRESS_TOO_LONG: 'The address of a request is longer than 8,192 characters.',
  INPUT_INVALID: 'A body is nested deeper than 50 levels.',
  TOO_MANY_REQUESTS:
    'One address asks more often than RATE_LIMIT allows: wait as long as Retry-After says, or raise it.',
  TRANSPORT: 'A request got no whole answer: connection refused, cut, or timed out.',
} as const
export type HttpErrorCode = keyof typeof HTTP_ERRORS

/** The server cannot start; the message is one line for whoever started it. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
  readonly code: HttpErrorCode

  constructor(code: HttpErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/** A request that got no whole answer. */
export class TransportError extends Error {
  override readonly name = 'TransportError'
  readonly code = 'TRANSPORT'
  /** False where the other side certainly never saw the request; true where it may have acted on it. */
  readonly mayHaveArrived: boolean

  constructor(message: string, mayHaveArrived: boolean, cause: unknown) {
    super(message, { cause })
    this.mayHaveArrived = mayHaveArrived
  }
}
