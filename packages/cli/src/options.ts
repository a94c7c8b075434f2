import { InvalidArgumentError } from 'commander'

/** A port on the command line; 0 is any free one. */
export function port(text: string): number {
  const number = Number(text)
  if (Number.isInteger(number) && number >= 0 && number <= 65535) return number
  throw new InvalidArgumentError('It must be a port, 0 to 65535.')
}

/** One of a few words. */
export function oneOf<const Words extends readonly string[]>(words: Words): (text: string) => Words[number] {
  return (text) => {
    const found = words.find((word) => word === text)
    if (found !== undefined) return found
    throw new InvalidArgumentError(`It must be one of ${words.join(', ')}.`)
  }
}
