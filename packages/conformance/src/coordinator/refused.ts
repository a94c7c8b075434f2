/** The check cannot be made safely, or not at all; the message says why, and what to do. */
export class CheckRefused extends Error {
  override readonly name = 'CheckRefused'
}
