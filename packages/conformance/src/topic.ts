import { Findings, type Finding } from './finding.ts'
import { messageOf } from './told.ts'

/** Something that is checked by itself: it makes what it needs, and depends on no other topic. */
export interface Topic<Kit> {
  readonly name: string
  readonly check: (kit: Kit, findings: Findings) => Promise<void>
}

export interface TopicTold {
  readonly topic: string
  readonly findings: readonly Finding[]
}

export interface Checking {
  /** How many topics at a time; 1 where one would disturb the other. */
  readonly atOnce: number
  /** The rule that is broken where a topic cannot come to its end. */
  readonly rule: string
  /** Somebody has seen enough: no other topic is begun. */
  readonly signal?: AbortSignal | undefined
  readonly told: (told: TopicTold) => void
}

/**
 * Checks topics, and tells of each when it is done.
 * @returns all findings in the order of the topics
 */
export async function checkTopics<Kit>(
  kit: Kit,
  topics: readonly Topic<Kit>[],
  { atOnce, rule, signal, told }: Checking,
): Promise<Finding[]> {
  const found: Finding[][] = []
  const left = topics.entries()
  const work = async () => {
    for (const [index, topic] of left) {
      if (signal?.aborted) return
      const findings = await checkTopic(kit, topic, rule)
      found[index] = findings
      told({ topic: topic.name, findings })
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return found.flat()
}

/** What a topic did not expect is a finding too: the side under check has gone away, or answers nonsense. */
async function checkTopic<Kit>(kit: Kit, { name, check }: Topic<Kit>, rule: string): Promise<Finding[]> {
  const findings = new Findings(name)
  try {
    await check(kit, findings)
  } catch (error) {
    findings.must(rule, 'it can be checked to the end', false, messageOf(error))
  }
  return findings.all
}
