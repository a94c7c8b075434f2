import { isConforming, type Finding, type TopicTold } from '@release-task/conformance'
import type { CommonFlags } from '../people/desk.ts'
import { EXIT } from '../people/exit-codes.ts'
import { printable } from '../people/printable.ts'
import { findingLines, summaryLines, topicLine } from './findings-text.ts'

export interface ShowFlags {
  readonly strict: boolean
}

/** How a check is followed while it goes on. */
export interface Watching {
  readonly told: (told: TopicTold) => void
  /** Aborted by Ctrl-C; the second one ends the process. */
  readonly signal: AbortSignal
}

/**
 * Shows what a check finds while it finds it, and what it comes to.
 * @returns the exit code
 */
export async function showFindings(
  side: string,
  url: string,
  { strict, json }: ShowFlags & CommonFlags,
  check: (watching: Watching) => Promise<Finding[]>,
): Promise<number> {
  const line = (text: string, indent = 0) => void (json || console.log(' '.repeat(indent) + printable(text)))
  line(`Checking the ${side} at ${url}: this takes up to a minute, more where something is wrong.`)
  const told = ({ topic, findings: found }: TopicTold) => {
    line(topicLine(topic, found))
    for (const finding of found.filter(({ outcome }) => outcome !== 'kept')) {
      const [claim, seen] = findingLines(finding)
      line(claim, 4)
      line(seen, 6)
    }
  }
  const stop = new AbortController()
  process.once('SIGINT', () => {
    stop.abort()
    line('Ends after the topic that is under way; Ctrl-C again ends at once.')
  })
  const findings = await check({ told, signal: stop.signal })
  if (stop.signal.aborted) return EXIT.interrupted
  const conforming = isConforming(findings, strict)
  if (json) console.log(JSON.stringify({ side, url, strict, conforming, findings }, null, 2))
  else for (const text of summaryLines(side, findings, conforming)) line(text)
  return conforming ? EXIT.done : EXIT.refused
}
