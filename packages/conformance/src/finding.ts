/**
 * `must`: whoever breaks it breaks releases, with this coordinator, with these services, or with the originals.
 * `should`: the contract asks for it, and the other side survives without it.
 */
export type Level = 'must' | 'should'

/** `unchecked`: it could not be seen from outside, and `found` says why. */
export type Outcome = 'kept' | 'broken' | 'unchecked'

/** One claim about the side under check, and what was seen. */
export interface Finding {
  readonly topic: string
  /** Its number in docs/protocol.md. */
  readonly rule: string
  readonly level: Level
  readonly claim: string
  readonly outcome: Outcome
  /** What was seen instead, or why nothing was; null where it is kept. */
  readonly found: string | null
}

/** Gathers what one topic finds. */
export class Findings {
  readonly #topic: string
  readonly all: Finding[] = []

  constructor(topic: string) {
    this.#topic = topic
  }

  must(rule: string, claim: string, holds: boolean, found: string): void {
    this.#add('must', rule, claim, holds, found)
  }

  should(rule: string, claim: string, holds: boolean, found: string): void {
    this.#add('should', rule, claim, holds, found)
  }

  unchecked(level: Level, rule: string, claim: string, why: string): void {
    this.all.push({ topic: this.#topic, rule, level, claim, outcome: 'unchecked', found: why })
  }

  #add(level: Level, rule: string, claim: string, holds: boolean, found: string): void {
    const seen = holds ? ({ outcome: 'kept', found: null } as const) : ({ outcome: 'broken', found } as const)
    this.all.push({ topic: this.#topic, rule, level, claim, ...seen })
  }
}

/** Whether nothing was broken that must not be; `strict`: nothing that should not be, either. */
export function isConforming(findings: readonly Finding[], strict: boolean): boolean {
  return !findings.some(({ outcome, level }) => outcome === 'broken' && (strict || level === 'must'))
}
