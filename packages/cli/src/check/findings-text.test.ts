import type { Finding } from '@release-task/conformance'
import { expect, test } from 'vitest'
import { findingLines, summaryLines, topicLine } from './findings-text.ts'

const kept: Finding = {
  topic: 'a release',
  rule: 'SV-12',
  level: 'must',
  claim: 'start is answered 200 running',
  outcome: 'kept',
  found: null,
}
const broken: Finding = { ...kept, outcome: 'broken', found: '500 with an empty body' }
const unchecked: Finding = {
  ...kept,
  level: 'should',
  outcome: 'unchecked',
  found: 'nobody stands in for the coordinator',
}

test('a topic is told by its worst finding, with how many of each there are', () => {
  expect(topicLine('a release', [kept, kept])).toBe('✓ a release: 2 kept')
  expect(topicLine('a release', [kept, broken, unchecked])).toBe('✗ a release: 1 kept, 1 broken, 1 unchecked')
  expect(topicLine('a release', [unchecked])).toBe('· a release: 1 unchecked')
  expect(topicLine('a release', [])).toBe('· a release: nothing to see')
})

test('a finding says its rule, what should be, and what was seen or why nothing was', () => {
  expect(findingLines(broken)).toEqual([
    'must SV-12: start is answered 200 running',
    'seen: 500 with an empty body',
  ])
  expect(findingLines(unchecked)).toEqual([
    'not checked, SV-12: start is answered 200 running',
    'because: nobody stands in for the coordinator',
  ])
})

test('the end counts what must be apart from what should be', () => {
  const [, line] = summaryLines(
    'task service',
    [kept, broken, { ...broken, level: 'should' }, unchecked],
    false,
  )
  expect(line).toBe(
    'The task service does NOT follow the contract: 1 claims kept, 1 broken that must be kept, 1 broken that should be, 1 not checked.',
  )
  expect(summaryLines('coordinator', [kept], true)[1]).toMatch(
    /^The coordinator follows the contract: 1 claims kept/,
  )
})
