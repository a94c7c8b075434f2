import { describe, expect, test } from 'vitest'
import type { ReleaseEvidence, TaskEvidence } from './evidence.ts'
import type { EffectLine, HistoryLine, Line, Work } from './history.ts'
import { judge, type Ended, type Kind } from './judge.ts'
import type { Intent } from './plan.ts'

const RELEASE = 'RE_00000001'
const TASK = 'TA_00000001'

let clock = 0
const at = (line: Line): HistoryLine => ({ at: ++clock, ...line })

function effect(edge: EffectLine['edge'], work: Work, attempt: number, pid = 10): HistoryLine {
  const token = `token-${attempt}`
  return at({
    type: 'effect',
    edge,
    work,
    service: 'alpha',
    release: RELEASE,
    task: TASK,
    attempt,
    pid,
    token,
  })
}

const process = (what: 'killing' | 'stopping' | 'resumed', pid: number) =>
  at({ type: 'process', what, slot: 'alpha', pid })
const asked = (what: 'publish' | 'cancel', state: string | null = null, code: number | null = null) =>
  at({ type: 'person', what, release: RELEASE, code, state })
const reported = (state: string) =>
  at({ type: 'request', link: 'coordinator', path: `/tasks/${TASK}`, body: { state } })

const released = (from: string, to: string) =>
  `release ${RELEASE}, version 0.0.1 changed from ${from} to ${to}`
const worked = (from: string, to: string) => `task ${TASK} changed from ${from} to ${to}`
const PUBLISHED = [
  released('waiting', 'initializing'),
  worked('waiting', 'initialized'),
  released('initializing', 'running'),
  worked('initialized', 'running'),
  worked('running', 'staged'),
  released('running', 'staged'),
  released('staged', 'publishing'),
  worked('staged', 'publishing'),
  worked('publishing', 'published'),
  released('publishing', 'published'),
]

const event = (type: string, message = type) => ({ type, message })
const OWN_WAY = [
  event('staged', 'stage finished, attempt 1'),
  event('published', 'publish finished, attempt 2'),
]

const task = (changes: Partial<TaskEvidence> = {}): TaskEvidence => ({
  id: TASK,
  service: 'alpha',
  state: 'published',
  own: { state: 'published', cleanup: 'none', events: OWN_WAY },
  publicFiles: ['token-1'],
  ...changes,
})

const release = (changes: Partial<ReleaseEvidence> = {}): ReleaseEvidence => ({
  id: RELEASE,
  state: 'published',
  version: '0.1.0',
  events: PUBLISHED,
  tasks: [task()],
  ...changes,
})

const ended = (
  evidence: ReleaseEvidence | null = release(),
  intent: Intent = { type: 'publish' },
): Ended => ({
  intent,
  id: RELEASE,
  state: evidence?.state ?? 'running',
  evidence,
})

/** Everything as it should be. */
const good = (): HistoryLine[] => [
  effect('begin', 'stage', 1),
  effect('end', 'stage', 1),
  reported('staged'),
  asked('publish'),
  effect('begin', 'publish', 2),
  effect('public', 'publish', 2),
  effect('end', 'publish', 2),
  reported('published'),
]

function kinds(history: readonly HistoryLine[], end: Ended = ended()): Kind[] {
  return [...new Set(judge(history, [end], 1).map((violation) => violation.kind))]
}

const CANCELED: ReleaseEvidence = release({
  state: 'canceled',
  events: [
    ...PUBLISHED.slice(0, 4),
    released('running', 'canceling'),
    worked('running', 'canceled'),
    released('canceling', 'canceled'),
  ],
  tasks: [
    task({
      state: 'canceled',
      own: { state: 'canceled', cleanup: 'done', events: [event('canceled')] },
      publicFiles: [],
    }),
  ],
})
const CANCEL: Intent = { type: 'cancel', at: 'running', afterMs: 0 }

describe('nothing is found', () => {
  test('in a release as it should be', () => {
    expect(kinds(good())).toEqual([])
  })

  test('in one that was canceled', () => {
    const history = [
      effect('begin', 'stage', 1),
      asked('cancel', 'canceling', 200),
      effect('stopped', 'stage', 1),
    ]
    expect(kinds(history, ended(CANCELED, CANCEL))).toEqual([])
  })

  test('in a stage that is begun again after a kill, and beside one that was suspended', () => {
    const killed = [effect('begin', 'stage', 0, 9), process('killing', 9), ...good()]
    expect(kinds(killed)).toEqual([])
    const stopped = [effect('begin', 'stage', 0, 9), process('stopping', 9), ...good()]
    expect(kinds(stopped)).toEqual([])
  })

  test('where a worker was suspended between its claim and its beginning', () => {
    const [begin, ...rest] = good()
    const late = [process('stopping', 9), begin!, process('resumed', 9), effect('begin', 'stage', 0, 9)]
    expect(kinds([...late, effect('stopped', 'stage', 0, 9), ...rest])).toEqual([])
  })

  test('beside a worker whose lease thread got no time from the machine meanwhile', () => {
    const begun = effect('begin', 'stage', 0, 9)
    const rest = good()
    const starved = (ms: number) => at({ type: 'starved', pid: 9, ms })
    expect(kinds([begun, ...rest, starved(100)])).toEqual([])
    // It was starved before it began, or after somebody else had begun.
    expect(kinds([starved(100), effect('begin', 'stage', 0, 9), ...good()])).toEqual(['doubled'])
    expect(kinds([effect('begin', 'stage', 0, 9), ...good(), starved(1)])).toEqual(['doubled'])
  })

  test('where a cancel got no answer, whichever end it came to', () => {
    const history = [...good(), asked('cancel', null, 0)]
    expect(kinds(history, ended(release(), CANCEL))).toEqual([])
    expect(kinds([asked('cancel', null, 0)], ended(CANCELED, CANCEL))).toEqual([])
  })
})

describe('found is', () => {
  test('a release that does not end, or that nobody can read', () => {
    const running = release({ state: 'running' })
    expect(kinds(good(), ended(running))).toContain('lost')
    expect(kinds(good(), ended(null))).toEqual(['lost'])
    expect(kinds([], { ...ended(null), id: null })).toEqual(['lost'])
  })

  test('work that counts as done and was not, and published without a public file', () => {
    expect(kinds(good().filter((line) => line.type !== 'effect' || line.edge !== 'end'))).toContain('lost')
    expect(kinds(good(), ended(release({ tasks: [task({ publicFiles: [] })] })))).toEqual(['lost'])
  })

  test('two attempts at the same time', () => {
    expect(kinds([effect('begin', 'stage', 0, 9), ...good()])).toEqual(['doubled'])
    // Nor may the same process begin beside itself.
    expect(kinds([effect('begin', 'stage', 0), ...good()])).toEqual(['doubled'])
  })

  test('a suspension does not excuse what is begun after it', () => {
    const later = (lines: readonly HistoryLine[], ms: number) =>
      lines.map((line) => ({ ...line, at: line.at + ms }))
    const stop = [process('stopping', 9), process('resumed', 9)]
    const rest = [effect('begin', 'stage', 0, 9), ...good()]
    expect(kinds([...stop, ...later(rest, 2000)])).toEqual(['doubled'])
    // Until its next renewal it does not know whether it has lost what it claimed before.
    expect(kinds([...stop, ...later(rest, 1000)])).toEqual([])
  })

  test('work done again after it was done, and counted twice', () => {
    expect(kinds([...good(), effect('begin', 'publish', 3), effect('end', 'publish', 3)])).toEqual([
      'doubled',
    ])
    const twice = { state: 'published', cleanup: 'none', events: [...OWN_WAY, OWN_WAY[1]!] }
    expect(kinds(good(), ended(release({ tasks: [task({ own: twice })] })))).toContain('doubled')
  })

  test('what a fenced attempt did and was counted for', () => {
    const history = [
      effect('begin', 'stage', 1),
      process('stopping', 10),
      effect('begin', 'stage', 2, 11),
      effect('end', 'stage', 1),
      process('killing', 11),
      ...good().slice(2),
    ]
    expect(kinds(history)).toEqual(['fenced'])
    expect(kinds(good(), ended(release({ tasks: [task({ publicFiles: ['token-2'] })] })))).toEqual(['fenced'])
  })

  test('publish before anybody asked for it', () => {
    const history = good().filter((line) => line.type !== 'person')
    expect(kinds(history)).toEqual(['public before publish'])
  })

  test('what is still public after a cancel', () => {
    const [one] = CANCELED.tasks
    const evidence = { ...CANCELED, tasks: [{ ...one!, publicFiles: ['token-1'] }] }
    expect(kinds([asked('cancel', 'canceling', 200)], ended(evidence, CANCEL))).toEqual([
      'public after cancel',
    ])
  })

  test('another end than the rules give', () => {
    expect(kinds([], ended(CANCELED))).toEqual(['wrong end'])
    expect(kinds(good(), ended(release(), { type: 'fail' }))).toEqual(['wrong end'])
    const canceled = [...good(), asked('cancel', 'canceling', 200)]
    expect(kinds(canceled, ended(release(), CANCEL))).toEqual(['wrong end'])
    // It was published before anybody canceled it.
    expect(kinds([...good(), asked('cancel', 'published', 200)], ended(CANCELED, CANCEL))).toContain(
      'wrong end',
    )
  })

  test('a change that is illegal, missing, doubled, or after the end', () => {
    const changed = (events: readonly string[]) => kinds(good(), ended(release({ events })))
    const all = release().events
    expect(changed([...all, `task ${TASK} changed from published to failed`])).toEqual(['illegal change'])
    expect(changed(all.filter((_, index) => index !== 3))).toEqual(['illegal change'])
    expect(changed([...all, all.at(-1)!])).toEqual(['illegal change'])
    expect(changed(all.slice(0, -1))).toEqual(['illegal change'])
    const twice = { state: 'published', cleanup: 'none', events: [...OWN_WAY, event('canceled')] }
    expect(kinds(good(), ended(release({ tasks: [task({ own: twice })] })))).toEqual(['illegal change'])
  })

  test('a report before its work has ended', () => {
    expect(kinds([reported('staged'), ...good()])).toEqual(['early report'])
    expect(kinds([reported('published'), ...good()])).toEqual(['early report'])
  })

  test('sides that do not agree, or a service that has not cleaned up', () => {
    const [one] = CANCELED.tasks
    const with_ = (own: TaskEvidence['own']) => ({ ...CANCELED, tasks: [{ ...one!, own }] })
    const judged = (own: TaskEvidence['own']) =>
      kinds([asked('cancel', 'canceling', 200)], ended(with_(own), CANCEL))
    expect(judged({ state: 'staged', cleanup: 'none', events: [] })).toEqual(['disagreement'])
    expect(judged({ state: 'canceled', cleanup: 'pending', events: [] })).toEqual(['disagreement'])
    expect(judged(null)).toEqual([])
    expect(kinds(good(), ended(release({ tasks: [task({ own: null })] })))).toContain('disagreement')
  })

  test('a release that goes on without one of its tasks, or without a task', () => {
    const without = (message: string) =>
      kinds(good(), ended(release({ events: PUBLISHED.filter((one) => one !== message) })))
    for (const move of [
      worked('waiting', 'initialized'),
      worked('running', 'staged'),
      worked('publishing', 'published'),
    ])
      expect(without(move)).toContain('disagreement')
    const early = [...PUBLISHED.slice(0, 4), PUBLISHED[5]!, PUBLISHED[4]!, ...PUBLISHED.slice(6)]
    expect(kinds(good(), ended(release({ events: early })))).toEqual(['disagreement'])
    expect(judge(good(), [ended()], 2).map(({ kind }) => kind)).toContain('disagreement')
  })

  test('who was fenced off and makes it public all the same', () => {
    const history = [
      ...good().slice(0, 4),
      effect('begin', 'publish', 2, 9),
      process('stopping', 9),
      effect('begin', 'publish', 3),
      process('resumed', 9),
      effect('public', 'publish', 2, 9),
      effect('end', 'publish', 3),
    ]
    const own = {
      state: 'published',
      cleanup: 'none',
      events: [OWN_WAY[0]!, event('published', 'attempt 3')],
    }
    expect(kinds(history, ended(release({ tasks: [task({ own })] })))).toEqual(['fenced'])
  })

  test('work beside a process that is stopping, but not beside what it gives back at the end of its grace', () => {
    const leaving = at({ type: 'process', what: 'terminating', slot: 'alpha', pid: 9 })
    const soon = [effect('begin', 'stage', 0, 9), leaving, ...good()]
    expect(kinds(soon)).toEqual(['doubled'])
    const late = good().map((line) => ({ ...line, at: line.at + 1000 }))
    expect(kinds([effect('begin', 'stage', 0, 9), leaving, ...late])).toEqual([])
  })

  test('one version that is published twice', () => {
    const other = { ...ended(release({ id: 'RE_00000002', tasks: [], events: [] })), id: 'RE_00000002' }
    const found = judge(good(), [ended(), other], 1).map((violation) => violation.what)
    expect(found).toContain(`version 0.1.0 was published as ${RELEASE} already`)
  })
})
