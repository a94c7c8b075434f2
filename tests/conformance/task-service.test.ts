import { checkTaskService, isConforming, NobodyThere, type Finding } from '@release-task/conformance'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openService } from '../flaws/task-service.fixture.ts'
import { FLAWS, FlawedService, type Flaw } from './flawed-service.fixture.ts'

interface Checked {
  readonly only?: string
  readonly withinMs?: number
  readonly patience?: number
}

function check(
  service: (coordinator: string | null) => Promise<string>,
  { only, withinMs = 10_000, patience = 0.2 }: Checked = {},
) {
  return checkTaskService({
    service,
    listen: { host: '127.0.0.1', port: 0 },
    only: only ?? null,
    studies: ['SD_BHJXBDQK'],
    token: null,
    withinMs,
    patience,
    random: Math.random,
    told: () => undefined,
  })
}

async function checkFlawed(flaws: readonly Flaw[], checked: Checked): Promise<Finding[]> {
  const flawed = new FlawedService(flaws)
  onTestFinished(() => flawed.close())
  return await check(async (coordinator) => {
    flawed.coordinator = coordinator ?? ''
    return await flawed.start()
  }, checked)
}

const notKept = (findings: readonly Finding[]) => findings.filter(({ outcome }) => outcome !== 'kept')
const broken = (findings: readonly Finding[]) => findings.filter(({ outcome }) => outcome === 'broken')

test('a service of the SDK keeps every claim', async () => {
  const findings = await check(
    async (coordinator) => {
      const { url } = await openService({ env: { COORDINATOR_API: coordinator ?? '' } })
      return url
    },
    { patience: 1 },
  )
  expect(notKept(findings)).toEqual([])
  expect(findings.length).toBeGreaterThan(80)
})

test('a service without flaws keeps every claim, whatever it is made of', async () => {
  expect(notKept(await checkFlawed([], {}))).toEqual([])
})

/** Where each flaw is found, as the breach of which rule. */
const FOUND: {
  readonly [flaw in Flaw]: readonly [topic: string, rule: string, level: Finding['level'], checked?: Checked]
} = {
  'status without a name': ['GET /status', 'SV-3', 'must'],
  'status without a message': ['GET /status', 'SV-1', 'should'],
  'two slashes are another path': ['an address with a slash', 'SV-5', 'should'],
  'malformed JSON is its own error': ['a body that is wrong', 'SV-13', 'must'],
  'any body will do': ['a body that is wrong', 'SV-13', 'must'],
  'errors are pages': ['a body that is wrong', 'SV-14', 'should'],
  'accepted is 202': ['a release', 'SV-12', 'must'],
  'answers lack fields': ['a release', 'SV-11', 'should'],
  'start of an unknown id': ['nobody has heard of', 'SV-13', 'must'],
  'an unknown id is its own error': ['nobody has heard of', 'SV-13', 'must'],
  'publishes what is not staged': ['was initialized', 'SV-13', 'must'],
  'start again is refused': ['told again', 'TS-6', 'must'],
  'start again tells the state': ['told again', 'TS-6', 'must'],
  'publish again is refused': ['told again', 'TS-6', 'must'],
  'another release will do': ['was initialized', 'TS-8', 'should'],
  'needs studies': ['names no studies', 'SV-8', 'must'],
  'knows all fields': ['names no studies', 'SV-8', 'must'],
  'never done': ['a release', 'TS-3', 'must', { withinMs: 1000 }],
  'works on after a cancel': ['while it works', 'TS-2', 'must'],
  'starts what is canceled': ['canceled after initialize', 'SV-13', 'must'],
  'cancel is lost beside start': ['at the same time', 'TS-7', 'must'],
  'published can be canceled': ['is published', 'SV-13', 'should'],
  'a cancel is not remembered': ['before it was initialized', 'SV-13', 'should'],
  'reports nothing': ['a release', 'WK-5', 'must'],
  'reports first': ['a release', 'N-4', 'must'],
  'progress is text': ['a release', 'N-13', 'must'],
  'reports once': ['away for a while', 'N-1', 'must'],
  'comes back at once': ['when to come again', 'N-1', 'should'],
  'repeats what was refused': ['refuses a report', 'N-11', 'should'],
  'never reads back': ['loses a report', 'N-2', 'should'],
  'does not read after a 500': ['answers 500', 'N-1', 'should'],
  'goes on after a 409': ['canceled meanwhile', 'N-9', 'should'],
  'no cookie': ['a release', 'N-10', 'should'],
}

describe('what is wrong is found', () => {
  test.concurrent.each(FLAWS.map((flaw) => ({ flaw })))('$flaw', async ({ flaw }) => {
    const [only, rule, level, checked] = FOUND[flaw]
    const findings = await checkFlawed([flaw], { only, ...checked })
    const here = broken(findings).filter(({ topic }) => topic.includes(only))
    expect(here.map((finding) => `${finding.rule} ${finding.level}`)).toContain(`${rule} ${level}`)
    expect(isConforming(findings, true)).toBe(false)
    if (broken(findings).every((finding) => finding.level === 'should'))
      expect(isConforming(findings, false)).toBe(true)
  })
})

test('where nobody stands in for the coordinator, what it would have seen is unchecked, and nothing else', async () => {
  const flawed = new FlawedService([])
  onTestFinished(() => flawed.close())
  const findings = await checkTaskService({
    service: () => flawed.start(),
    listen: null,
    only: null,
    studies: [],
    token: null,
    withinMs: 10_000,
    random: Math.random,
    told: () => undefined,
  })
  const unchecked = findings.filter(({ outcome }) => outcome === 'unchecked')
  expect(notKept(findings)).toEqual(unchecked)
  expect(unchecked.map(({ found }) => found)).toEqual(
    unchecked.map(() => 'nobody stands in for the coordinator'),
  )
  expect(new Set(unchecked.map(({ rule }) => rule))).toEqual(new Set(['WK-5', 'SV-7', 'TS-2', 'N-1']))
})

test('whoever has seen enough ends it after the topics that are under way', async () => {
  const flawed = new FlawedService([])
  onTestFinished(() => flawed.close())
  const stop = new AbortController()
  const findings = await checkTaskService({
    service: () => flawed.start(),
    listen: null,
    only: null,
    studies: [],
    token: null,
    withinMs: 10_000,
    random: Math.random,
    signal: stop.signal,
    told: () => stop.abort(),
  })
  expect(new Set(findings.map(({ topic }) => topic)).size).toBeLessThanOrEqual(4)
})

test('where no service is, that is said at once', async () => {
  await expect(check(async () => 'http://127.0.0.1:9')).rejects.toThrow(NobodyThere)
})
