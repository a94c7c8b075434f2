/** Chance from a seed: the same numbers in every run (mulberry32). */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
    // Neighbouring seeds begin alike; a few steps take them apart.
    for (let step = 0; step < 5; step++) this.next()
  }

  /** @returns at least 0 and less than 1 */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number from `least` to `most`, both of them possible. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1))
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  /** One of several; where weights are given, the heavier the more often. */
  pick<T>(choices: readonly (readonly [weight: number, choice: T])[]): T {
    const total = choices.reduce((sum, [weight]) => sum + weight, 0)
    let at = this.next() * total
    for (const [weight, choice] of choices) if ((at -= weight) < 0) return choice
    const [, last] = choices.at(-1)!
    return last
  }

  oneOf<T>(choices: readonly T[]): T {
    return this.pick(choices.map((choice) => [1, choice] as const))
  }
}
