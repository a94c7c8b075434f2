/** An id that is none, and so must not become part of a path. Trying again cannot help: the request is wrong. */
export class InvalidId extends Error {
  override readonly name = 'InvalidId'
}
