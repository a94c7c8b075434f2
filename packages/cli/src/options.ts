import { InvalidArgumentError } from 'commander'

/** A port on the command line; 0 is any free one. */
export function port(text: string): number {
  const number = Number(text)
  if (Number.isInteger(number) && number >= 0 && number <= 65535) return number
  throw new InvalidArgumentError('It must be a port, 0 to 65535.')
}
