import type { Finding, Level, Outcome } from '@release-task/conformance'

const MARK: { readonly [outcome in Outcome]: string } = { kept: '✓', broken: '✗', unchecked: '·' }

/** `✗ canceled while it works: 9 kept, 1 broken` */
export function topicLine(topic: string, findings: readonly Finding[]): string {
  const counts = (['kept', 'broken', 'unchecked'] as const)
    .map((outcome) => ({ outcome, number: findings.filter((one) => one.outcome === outcome).length }))
    .filter(({ number }) => number > 0)
  const worst = counts.find(({ outcome }) => outcome === 'broken') ?? counts.at(-1)
  const said = counts.map(({ outcome, number }) => `${number} ${outcome}`).join(', ')
  return `${MARK[worst?.outcome ?? 'unchecked']} ${topic}: ${said || 'nothing to see'}`
}

/** `must SV-12: start of a task that is pending is answered 200 running`, and what was seen. */
export function findingLines({ outcome, level, rule, claim, found }: Finding): [claim: string, seen: string] {
  const isBroken = outcome === 'broken'
  return [
    `${isBroken ? `${level} ${rule}` : `not checked, ${rule}`}: ${claim}`,
    `${isBroken ? 'seen' : 'because'}: ${found}`,
  ]
}

/** What it comes to, in one line and what to do. */
export function summaryLines(side: string, findings: readonly Finding[], conforming: boolean): string[] {
  const count = (outcome: Outcome, level?: Level) =>
    findings.filter((one) => one.outcome === outcome && (level === undefined || one.level === level)).length
  const [must, should, unchecked] = [count('broken', 'must'), count('broken', 'should'), count('unchecked')]
  const counts = [
    `${count('kept')} claims kept`,
    `${must} broken that must be kept`,
    `${should} broken that should be`,
    ...(unchecked > 0 ? [`${unchecked} not checked`] : []),
  ]
  const verdict = conforming ? `The ${side} follows the contract` : `The ${side} does NOT follow the contract`
  return ['', `${verdict}: ${counts.join(', ')}.`]
}
