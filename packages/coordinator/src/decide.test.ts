import {
  canMoveCoordinatorTask,
  canMoveRelease,
  COORDINATOR_TASK_STATES,
  RELEASE_STATES,
  type CoordinatorTaskState,
  type ReleaseState,
} from '@release-task/protocol'
import { describe, expect, test } from 'vitest'
import { decide } from './decide.ts'
import type { Command, Effect } from './decision.ts'
import {
  accepted,
  begin,
  cancelingFrom,
  momentAt,
  NOW,
  POLICY,
  poll,
  refused,
  RELEASE,
  releaseIn,
  report,
  run,
  serviceId,
  taskId,
  taskIn,
} from './record.fixture.ts'

// Typed from docs/protocol.md, RC-1 and RC-2, not taken from the code.
const RELEASE_MOVES = `
  waiting      -> initializing canceling
  initializing -> running canceling
  running      -> staged canceling
  staged       -> publishing canceling
  publishing   -> published canceling
  published    ->
  canceling    -> canceled failed
  canceled     ->
  failed       ->
`
const TASK_MOVES = `
  waiting     -> initialized rejected failed canceled
  initialized -> running failed canceled
  running     -> staged failed canceled
  staged      -> publishing failed canceled
  publishing  -> published failed canceled
  published   ->
  rejected    ->
  failed      ->
  canceled    ->
`

const moveText = <State extends string>(
  states: readonly State[],
  canMove: (from: State, to: State) => boolean,
) => states.map((from) => [from, ...states.filter((to) => canMove(from, to)).toSorted()].join(' '))

const typed = (table: string) =>
  table
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/[\s>-]+/))
    .map(([from, ...to]) => [from, ...to.filter(Boolean).toSorted()].join(' '))

describe('tables', () => {
  test('moves of a release are those of RC-1, and no others', () => {
    expect(moveText(RELEASE_STATES, canMoveRelease).toSorted()).toEqual(typed(RELEASE_MOVES).toSorted())
  })

  test('moves of a task are those of RC-2, and no others', () => {
    expect(moveText(COORDINATOR_TASK_STATES, canMoveCoordinatorTask).toSorted()).toEqual(
      typed(TASK_MOVES).toSorted(),
    )
  })
})

const moves = (events: readonly string[]) => events.filter((one) => one.includes('changed from'))
const warnings = (events: readonly string[]) => events.filter((one) => one.startsWith('warning'))
const create = (overlapping: `RE_${string}`[] = []): Command => ({
  type: 'create',
  id: RELEASE,
  fields: {
    name: 'spring',
    description: '',
    studies: ['SD_00000001'],
    tags: [],
    author: 'admin',
    isMajor: false,
  },
  overlapping,
})

describe('create and begin', () => {
  test('a release is created waiting, without tasks, with the version after the highest (RC-1, RC-28)', () => {
    const decision = decide(null, create(), momentAt(NOW, '0.3.2'))
    expect(decision).toMatchObject({
      kind: 'next',
      next: { state: 'waiting', tasks: [], version: '0.3.3', revision: 1, dueAt: NOW },
      effects: [{ type: 'version', from: '0.3.2', to: '0.3.3' }],
    })
  })

  test('a second release over the same studies is allowed, with a warning (RC-4)', () => {
    const decision = decide(null, create(['RE_0000000A']), momentAt(NOW, ''))
    expect(decision).toMatchObject({ next: { version: '0.0.0' } })
    expect(decision.kind === 'next' && decision.effects.at(-1)).toMatchObject({
      eventType: 'warning',
      message: expect.stringContaining('RE_0000000A'),
    })
  })

  test('all task rows are made at once, each is told initialize (RC-1, F-06)', () => {
    const out = run(releaseIn('waiting'), begin(3))
    expect([out.state, out.tasks]).toEqual(['initializing', ['waiting', 'waiting', 'waiting']])
    expect(out.sends).toEqual([0, 1, 2].map((index) => `initialize ${taskId(index)}`))
    expect(out.effects).toContainEqual({
      type: 'send',
      taskId: taskId(1),
      action: 'initialize',
      forMs: POLICY.actionDeadlineMs,
    })
  })

  test('without enabled services it is staged at once, through every state, with a warning (RC-3)', () => {
    const out = run(releaseIn('waiting'), begin(0))
    expect(out.state).toBe('staged')
    expect(moves(out.events).map((one) => one.split(' ').slice(-3).join(' '))).toEqual([
      'waiting to initializing',
      'initializing to running',
      'running to staged',
    ])
    expect(warnings(out.events)).toHaveLength(1)
  })

  test('a release without tasks is published at once (RC-1)', () => {
    expect(run(releaseIn('staged'), { type: 'publish' }).state).toBe('published')
  })

  test('a service that is down joins, with a warning that names it (RC-36)', () => {
    const out = run(releaseIn('waiting'), begin(2, [1]))
    expect(out.sends).toHaveLength(2)
    expect(warnings(out.events)).toEqual([expect.stringContaining(serviceId(1))])
  })

  test.each(RELEASE_STATES.filter((state) => state !== 'waiting'))('it begins once, not in %s', (state) => {
    expect(run(releaseIn(state), begin(1)).kind).toBe('unchanged')
  })
})

describe('answers to actions', () => {
  test('the last accepted initialize starts all, once (RC-1, F-05)', () => {
    const first = run(releaseIn('initializing', ['waiting', 'waiting']), accepted(0, 'initialize'))
    expect([first.state, first.sends]).toEqual(['initializing', []])
    const last = run(first.release, accepted(1, 'initialize', 'initialized'))
    expect([last.state, last.sends]).toEqual(['running', [`start ${taskId(0)}`, `start ${taskId(1)}`]])
    expect(run(last.release, accepted(1, 'initialize')).sends).toEqual([])
  })

  test('start is accepted as running, or passes through it to staged (RC-10, RC-14)', () => {
    const record = releaseIn('running', ['initialized', 'initialized'])
    expect(run(record, accepted(0, 'start', 'running')).tasks[0]).toBe('running')
    const fast = run(record, accepted(0, 'start', 'staged'))
    expect(moves(fast.events)).toEqual([
      `info: task ${taskId(0)} changed from initialized to running`,
      `info: task ${taskId(0)} changed from running to staged`,
    ])
  })

  test('publish is accepted as publishing, or passes through it to published (RC-10, RC-14)', () => {
    const record = releaseIn('publishing', ['staged', 'staged'])
    expect(run(record, accepted(0, 'publish')).tasks[0]).toBe('publishing')
    expect(run(record, accepted(0, 'publish', 'published')).tasks[0]).toBe('published')
  })

  test('a service that shows more than it was asked for is taken no further than it was asked (RC-14)', () => {
    const out = run(releaseIn('initializing', ['waiting', 'waiting']), accepted(0, 'initialize', 'staged'))
    expect(out.tasks[0]).toBe('initialized')
  })

  test.each([
    ['initialize', 'initializing', 'waiting', 'rejected'],
    ['start', 'running', 'initialized', 'failed'],
    ['publish', 'publishing', 'staged', 'failed'],
  ] as const)('%s refused: event with the reason, release stopped (RC-10, RC-11, RC-22)', (...row) => {
    const [action, release, task, ended] = row
    const out = run(releaseIn(release, [task, task]), refused(0, action, { reason: 'answered 418: teapot' }))
    expect([out.state, out.tasks[0], out.release.outcome]).toEqual(['canceling', ended, 'failed'])
    expect(out.events[0]).toBe(`error: request to ${action} task failed: answered 418: teapot`)
    // The one that refused may have acted all the same (RC-19).
    expect(out.sends).toEqual([`cancel ${taskId(0)}`, `cancel ${taskId(1)}`])
    expect(out.release.tasks[0]?.lastError).toBe('answered 418: teapot')
  })

  test('what a service said is cut to what an event holds (CR-36)', () => {
    const out = run(releaseIn('running', ['initialized']), refused(0, 'start', { reason: 'x'.repeat(3000) }))
    expect(out.events[0]).toHaveLength('error: '.length + 1000)
  })

  test('a service that showed the task ended by itself is not told cancel (RC-19)', () => {
    const out = run(
      releaseIn('running', ['initialized', 'running']),
      refused(0, 'start', { shown: 'failed' }),
    )
    expect([out.tasks[0], out.sends]).toEqual(['failed', [`cancel ${taskId(1)}`]])
  })

  test.each([
    ['initialize', 'initializing', 'initialized'],
    ['start', 'running', 'running'],
    ['start', 'running', 'staged'],
    ['publish', 'publishing', 'publishing'],
    ['publish', 'publishing', 'published'],
  ] as const)(
    '%s refused after the service went on by itself (%s, %s): it had taken it (RC-12)',
    (...row) => {
      const [action, release, task] = row
      // The other one keeps the release where it is.
      const other = { initializing: 'waiting', running: 'running', publishing: 'publishing' } as const
      const out = run(releaseIn(release, [task, other[release]]), refused(0, action))
      expect([out.state, out.tasks[0], out.sends]).toEqual([release, task, []])
    },
  )

  test('late answers in a release that is being stopped are judged by the present state (F-08)', () => {
    const record = cancelingFrom('running', ['initialized', 'initialized'])
    const late = run(record, accepted(0, 'start', 'running'))
    expect([late.state, late.sends, late.release.outcome]).toEqual(['canceling', [], 'canceled'])
    expect(run(record, refused(0, 'start')).release.outcome).toBe('canceled')
  })

  test('an answer about a task that the release does not have changes nothing', () => {
    expect(run(releaseIn('running', ['running']), accepted(5, 'start')).kind).toBe('unchanged')
  })
})

describe('reports', () => {
  test('two last tasks: whoever comes second moves the release in the same decision (RC-1)', () => {
    const one = run(releaseIn('running', ['running', 'running']), report(0, { state: 'staged' }))
    expect(one.state).toBe('running')
    const two = run(one.release, report(1, { state: 'staged' }))
    expect([two.state, two.tasks]).toEqual(['staged', ['staged', 'staged']])
    expect(moves(two.events).at(-1)).toBe(
      `info: release ${RELEASE}, version 0.3.1 changed from running to staged`,
    )
  })

  test('the last published raises the version in the same decision, and its event names it (RC-29, RC-32)', () => {
    const record = releaseIn('publishing', ['published', 'publishing'])
    const out = run(record, report(1, { state: 'published' }))
    expect([out.state, out.release.version]).toEqual(['published', '0.4.0'])
    expect(out.effects).toContainEqual({ type: 'version', from: '0.3.2', to: '0.4.0' })
    expect(out.events.at(-1)).toBe(
      `info: release ${RELEASE}, version 0.4.0 changed from publishing to published`,
    )
    const major = run({ ...record, isMajor: true }, report(1, { state: 'published' }))
    expect(major.release.version).toBe('1.0.0')
  })

  test.each([
    ['running', 'initialized', 'staged', ['running', 'staged']],
    ['publishing', 'staged', 'published', ['publishing', 'published']],
  ] as const)(
    'in %s, while the action is in flight, counts as its acceptance (RC-12, F-01, F-02)',
    (...row) => {
      const [release, task, said, passed] = row
      const other = release === 'running' ? 'running' : 'publishing'
      const out = run(releaseIn(release, [task, other]), report(0, { state: said }))
      expect(moves(out.events).map((one) => one.split(' ').at(-1))).toEqual(passed)
      // The answer that comes afterwards takes nothing back.
      const action = release === 'running' ? 'start' : 'publish'
      expect(run(out.release, accepted(0, action)).tasks[0]).toBe(said)
    },
  )

  // Rows: what the coordinator has; columns: what is reported. `=` 200, nothing moves; `>` 200, it moves; `x` 409.
  // Typed from RC-2, RC-14, RC-24 and RC-25, for the release that a task in that state belongs to.
  const REPORT_TABLE = `
                  waiting initialized running staged publishing published rejected failed canceled
    waiting       =       >           x       x      x          x         x        >      >
    initialized   x       =           >       >      x          x         x        >      >
    running       x       x           =       >      x          x         x        >      >
    staged        x       x           x       =      >          >         x        >      >
    publishing    x       x           x       x      =          >         x        >      >
    published     x       x           x       x      x          =         x        x      x
    rejected      x       x           x       x      x          x         =        x      x
    failed        x       x           x       x      x          x         x        =      x
    canceled      x       x           x       x      x          x         x        x      =
  `
  const RELEASE_OF: { readonly [task in CoordinatorTaskState]: ReleaseState } = {
    waiting: 'initializing',
    initialized: 'running',
    running: 'running',
    staged: 'publishing',
    publishing: 'publishing',
    published: 'publishing',
    rejected: 'canceling',
    failed: 'canceling',
    canceled: 'canceling',
  }
  const [head, ...lines] = REPORT_TABLE.trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
  const cells = lines.flatMap(([from, ...signs]) =>
    signs.map(
      (sign, index) => [from, head?.[index], sign] as [CoordinatorTaskState, CoordinatorTaskState, string],
    ),
  )

  test.each(cells)('%s, reported %s: %s', (from, said, sign) => {
    // A second task keeps the release where it is.
    const others = { initializing: 'waiting', running: 'running', publishing: 'publishing' } as const
    const state = RELEASE_OF[from] as keyof typeof others | 'canceling'
    const record =
      state === 'canceling'
        ? cancelingFrom('running', [from, 'running'])
        : releaseIn(state, [from, others[state]])
    const out = run(record, report(0, { state: said }))
    if (sign === '>') expect([out.kind, out.tasks[0]]).toEqual(['next', said])
    else expect(out.tasks[0]).toBe(from)
    if (sign === '=') expect(out.refusal).toBeNull()
    if (sign !== 'x') return
    expect(out.refusal).toContain(`state ${from} `)
    expect(out.refusal).toContain(`state ${said}`)
    // Nothing saved, the report kept as an event.
    expect(out.release).toBe(record)
    expect(out.effects.map((effect) => effect.type)).toEqual(['event'])
  })

  test('what needs an action that was not sent is 409 (RC-14)', () => {
    expect(
      run(releaseIn('initializing', ['initialized', 'waiting']), report(0, { state: 'staged' })).kind,
    ).toBe('refused')
    expect(run(releaseIn('staged', ['staged']), report(0, { state: 'published' })).kind).toBe('refused')
  })

  test('the present state again changes nothing but progress (RC-24)', () => {
    const out = run(
      releaseIn('running', ['running', 'running']),
      report(0, { state: 'running', progress: 40 }),
    )
    expect([out.release.tasks[0]?.progress, out.events]).toEqual([40, []])
    const staged = run(releaseIn('staged', ['staged']), report(0, { state: 'staged', progress: 100 }))
    expect([staged.kind, staged.state, staged.events]).toEqual(['next', 'staged', []])
  })

  test('a terminal task takes its own state again and nothing else, new progress included (RC-25)', () => {
    const record = releaseIn('published', [taskIn(0, 'published', { progress: 100 })])
    expect(run(record, report(0, { state: 'published' })).kind).toBe('unchanged')
    expect(run(record, report(0, { state: 'published', progress: 100 })).kind).toBe('unchanged')
    expect(run(record, report(0, { state: 'published', progress: 50 })).kind).toBe('refused')
    expect(run(record, report(0, { progress: 50 })).refusal).toContain('progress 50')
    expect(run(record, report(0, { summary: {} })).kind).toBe('refused')
    expect(run(record, report(0, {})).kind).toBe('unchanged')
  })

  test.each(['failed', 'canceled'] as const)('a task that reports %s decides the outcome (RC-18)', (said) => {
    const out = run(releaseIn('running', ['running', 'initialized']), report(0, { state: said }))
    expect([out.state, out.release.outcome, out.tasks[0]]).toEqual(['canceling', said, said])
    // Itself is not told cancel, nor anything that was still to be told (RC-19).
    expect(out.sends).toEqual([`cancel ${taskId(1)}`])
    expect(out.effects).toContainEqual({ type: 'tell_no_more', taskId: taskId(0) })
  })

  test('in a release that is being stopped it never changes the outcome (RC-18, RC-26)', () => {
    const out = run(cancelingFrom('running', ['running', 'running']), report(0, { state: 'failed' }))
    expect([out.state, out.release.outcome, out.tasks[0]]).toEqual(['canceling', 'canceled', 'failed'])
    expect(out.release.tasks[0]?.cancelPending).toBe(false)
  })

  test('a summary travels with a report and stays (WK-4)', () => {
    const out = run(
      releaseIn('running', ['running', 'running']),
      report(0, { state: 'staged', summary: { rows: 3 } }),
    )
    expect(out.release.tasks[0]).toMatchObject({ summary: { rows: 3 }, progress: 100 })
    expect(run(out.release, report(0, { progress: 100 })).release.tasks[0]?.summary).toEqual({ rows: 3 })
  })

  describe('attempts (RC-39)', () => {
    const LATER = NOW + 60_000
    const working = releaseIn('running', ['running', 'running'])
    const failed = (attempt: number, error = `no luck ${attempt}`) => report(0, { attempt, error })

    test('one that failed is shown with why; the next one keeps that, until the task goes on', () => {
      const first = run(working, failed(1))
      expect(first.release.tasks[0]).toMatchObject({ attempt: 1, lastError: 'no luck 1', state: 'running' })
      const second = run(first.release, report(0, { attempt: 2 }))
      expect(second.release.tasks[0]).toMatchObject({ attempt: 2, lastError: 'no luck 1' })
      const staged = run(second.release, report(0, { state: 'staged', attempt: 2 }))
      expect(staged.release.tasks[0]).toMatchObject({ attempt: 2, lastError: null })
    })

    test('one that was held up on its way says nothing any more', () => {
      const second = run(working, report(0, { attempt: 2 }))
      expect(run(second.release, failed(1)).release.tasks[0]).toMatchObject({ attempt: 2, lastError: null })
    })

    test('they are no activity: neither is a silence over, nor does it begin again', () => {
      const silent = taskIn(0, 'publishing', {
        needsAttention: true,
        overdue: 'silence',
        lastActivityAt: NOW,
      })
      const out = run(releaseIn('publishing', [silent]), failed(3), momentAt(LATER))
      expect(out.release.tasks[0]).toMatchObject({
        needsAttention: true,
        overdue: 'silence',
        lastActivityAt: NOW,
        attempt: 3,
        lastError: 'no luck 3',
      })
      const progress = run(out.release, report(0, { progress: 5, attempt: 3 }), momentAt(LATER))
      expect(progress.release.tasks[0]).toMatchObject({ needsAttention: false, lastActivityAt: LATER })
    })

    test('each phase counts its own; a phase that was passed unseen leaves its number', () => {
      const initialized = run(
        releaseIn('running', ['initialized', 'running']),
        report(0, { state: 'staged', attempt: 4 }),
      )
      expect(initialized.release.tasks[0]).toMatchObject({ state: 'staged', attempt: 4 })
      const publishing = releaseIn('publishing', [taskIn(0, 'staged', { attempt: 4 }), 'publishing'])
      const begun = run(publishing, report(0, { state: 'publishing' }))
      expect(begun.release.tasks[0]).toMatchObject({ state: 'publishing', attempt: null })
    })

    test('a task that has ended takes none (RC-25)', () => {
      const record = releaseIn('canceled', [taskIn(0, 'canceled')])
      expect(run(record, failed(2)).refusal).toContain('news of attempt 2')
    })

    test('whoever is called for a silence is told why the last attempt failed', () => {
      const failing = taskIn(0, 'publishing', { lastActivityAt: NOW, attempt: 1, lastError: 'disk full' })
      const out = run(
        releaseIn('publishing', [failing]),
        { type: 'tick' },
        momentAt(NOW + POLICY.taskTimeoutMs),
      )
      expect(out.release.tasks[0]).toMatchObject({ needsAttention: true })
      expect(out.release.tasks[0]?.lastError).toMatch(/deadline silence .*; last error: disk full$/)
    })
  })

  test('a task that nobody knows', () => {
    expect(run(releaseIn('running', ['running']), report(5, { state: 'staged' })).refusal).toBe('NOT_FOUND')
  })
})

describe('polls', () => {
  test.each([
    ['running', 'running', 'staged', 'staged'],
    ['publishing', 'publishing', 'published', 'published'],
    ['running', 'running', 'failed', 'failed'],
    ['publishing', 'publishing', 'canceled', 'canceled'],
  ] as const)('in %s, a %s task shown %s becomes that (RC-2)', (release, task, shown, becomes) => {
    expect(run(releaseIn(release, [task, task]), poll(0, { state: shown })).tasks[0]).toBe(becomes)
  })

  test.each(['waiting', 'initialized', null] as const)(
    'an earlier state or an unknown word (%s) changes nothing, not even progress (RC-14)',
    (state) => {
      const record = releaseIn('running', ['running'])
      expect(run(record, poll(0, { state, progress: 40 })).kind).toBe('unchanged')
    },
  )

  test('the present state brings progress; the same progress is no news (RC-17)', () => {
    const record = releaseIn('running', ['running'])
    const out = run(record, poll(0, { state: 'running', progress: 40 }))
    expect(out.release.tasks[0]).toMatchObject({ progress: 40, lastActivityAt: NOW })
    expect(run(out.release, poll(0, { state: 'running', progress: 40 }, NOW + 1)).kind).toBe('unchanged')
  })

  test.each(['publishing', 'published'] as const)(
    '%s of a task that was never told to publish fails it, with an event (RC-14)',
    (shown) => {
      const out = run(releaseIn('running', ['running', 'running']), poll(0, { state: shown }))
      expect([out.state, out.tasks[0], out.release.outcome]).toEqual(['canceling', 'failed', 'failed'])
      expect(out.events[0]).toMatch(/^error: .*never told to publish/)
      expect(out.sends).toHaveLength(2)
    },
  )

  test('an answer is dropped if the task changed since the question (RC-15, F-03)', () => {
    const record = releaseIn('running', [taskIn(0, 'running', { lastActivityAt: NOW })])
    expect(run(record, poll(0, { state: 'failed' }, NOW - 1)).kind).toBe('unchanged')
    expect(run(record, poll(0, { state: 'failed' }, NOW)).kind).toBe('unchanged')
    expect(run(record, poll(0, { state: 'failed' }, NOW + 1)).kind).toBe('next')
  })

  const lost = (askedAt = NOW): Command => ({
    type: 'lost',
    taskId: taskId(0),
    askedAt,
    reason: 'answered 404',
  })

  test.each(['running', 'publishing'] as const)(
    'a service that does not know the task fails it, also in %s; it is told cancel all the same (RC-16, RC-19)',
    (state) => {
      const out = run(releaseIn(state, [state, state]), lost())
      expect([out.state, out.tasks[0], out.release.outcome]).toEqual(['canceling', 'failed', 'failed'])
      expect(out.release.reason).toContain('answered 404')
      expect(out.events[0]).toMatch(/^error: task TA_00000000: .*answered 404/)
      expect(out.sends).toEqual([`cancel ${taskId(0)}`, `cancel ${taskId(1)}`])
    },
  )

  test('a task that has been heard of since is not lost', () => {
    const record = releaseIn('running', [taskIn(0, 'running', { lastActivityAt: NOW })])
    expect(run(record, lost(NOW - 1)).kind).toBe('unchanged')
  })

  test('in a release that is being stopped nothing changes: cancel is told anyway', () => {
    expect(run(cancelingFrom('running', ['running']), lost()).kind).toBe('unchanged')
  })
})

describe('deadlines', () => {
  const tick: Command = { type: 'tick' }
  const { taskTimeoutMs, releaseTimeoutMs, actionDeadlineMs } = POLICY
  const silentSince = (state: 'running' | 'publishing' | 'staged') =>
    taskIn(0, state, { lastActivityAt: NOW - taskTimeoutMs })

  test('TASK_TIMEOUT counts from the last activity; before publish it cancels (RC-17, RC-18)', () => {
    const out = run(releaseIn('running', [silentSince('running'), 'staged']), tick)
    expect([out.state, out.release.outcome]).toEqual(['canceling', 'canceled'])
    expect(out.sends).toHaveLength(2)
    const heard = { ...silentSince('running'), lastActivityAt: NOW - taskTimeoutMs + 1 }
    expect(run(releaseIn('running', [heard]), tick).state).toBe('running')
  })

  test('while publishing it only calls for a person, once (RC-17)', () => {
    const out = run(releaseIn('publishing', [silentSince('publishing'), 'published']), tick)
    expect([out.state, out.release.tasks[0]?.needsAttention]).toEqual(['publishing', true])
    expect(warnings(out.events)).toHaveLength(1)
    expect(run(out.release, tick, momentAt(NOW + 1)).events).toEqual([])
    // A word of the service ends that.
    const heard = run(out.release, report(0, { progress: 10 })).release.tasks[0]
    expect([out.release.tasks[0]?.lastError, heard?.lastError]).toEqual([expect.any(String), null])
    expect(heard?.needsAttention).toBe(false)
  })

  test.each(['initializing', 'running'] as const)(
    'RELEASE_TIMEOUT counts from the start of %s and cancels (RC-17)',
    (state) => {
      const task = state === 'running' ? 'running' : 'waiting'
      const expired = releaseIn(state, [task], { since: NOW - releaseTimeoutMs })
      expect(run(expired, tick)).toMatchObject({ state: 'canceling', release: { outcome: 'canceled' } })
      expect(run({ ...expired, since: NOW - releaseTimeoutMs + 1 }, tick).state).toBe(state)
    },
  )

  test('RELEASE_TIMEOUT while publishing calls for a person, once (RC-17)', () => {
    const record = releaseIn('publishing', ['publishing'], { since: NOW - releaseTimeoutMs })
    const out = run(record, tick)
    expect([out.state, out.release.needsAttention]).toEqual(['publishing', true])
    expect(warnings(out.events)).toHaveLength(1)
    const again = run(run(out.release, report(0, { progress: 5 })).release, tick, momentAt(NOW + 1))
    expect(again.events).toEqual([])
  })

  test('neither counts in staged (RC-17)', () => {
    const record = releaseIn('staged', [silentSince('staged')], { since: NOW - releaseTimeoutMs })
    expect(run(record, tick).kind).toBe('unchanged')
  })

  test('the next look is at the earliest deadline, and none where none counts', () => {
    const begun = run(releaseIn('waiting'), begin(1)).release
    expect(begun.dueAt).toBe(NOW + releaseTimeoutMs)
    const running = run(releaseIn('running', ['initialized']), accepted(0, 'start')).release
    expect(running.dueAt).toBe(NOW + taskTimeoutMs)
    expect(run(releaseIn('running', ['running']), report(0, { state: 'staged' })).release.dueAt).toBeNull()
    expect(run(releaseIn('running', ['running']), { type: 'cancel' }).release.dueAt).toBe(
      NOW + actionDeadlineMs,
    )
  })

  test('canceling ends after ACTION_DEADLINE; the silent services are named, cancel stays to be told (RC-20)', () => {
    const record = cancelingFrom('running', ['running', 'staged'])
    const heard = run(record, accepted(0, 'cancel', 'canceled')).release
    expect(run(heard, tick, momentAt(heard.since + actionDeadlineMs - 1)).state).toBe('canceling')
    const out = run(heard, tick, momentAt(heard.since + actionDeadlineMs))
    expect([out.state, out.tasks]).toEqual(['canceled', ['canceled', 'canceled']])
    expect(warnings(out.events)).toEqual([expect.stringContaining(serviceId(1))])
    expect(out.effects.filter((effect) => effect.type === 'tell_no_more')).toEqual([])
    // The acknowledgement that comes in the end changes no state.
    const late = run(out.release, accepted(1, 'cancel', 'canceled'))
    expect([late.state, late.tasks, late.events]).toEqual(['canceled', out.tasks, []])
  })
})

describe('cancel', () => {
  test.each([
    ['initializing', ['waiting', 'initialized']],
    ['running', ['initialized', 'running']],
    ['staged', ['staged', 'staged']],
    ['publishing', ['staged', 'publishing']],
  ] as const)(
    'from %s: every task that may have been told anything is told cancel, for 24 h (RC-19)',
    (...row) => {
      const [state, tasks] = row
      const out = run(releaseIn(state, tasks), { type: 'cancel' })
      expect([out.state, out.release.outcome, out.release.stoppedFrom]).toEqual([
        'canceling',
        'canceled',
        state,
      ])
      expect(out.effects.filter((effect) => effect.type === 'send')).toEqual(
        [0, 1].map((index) => ({
          type: 'send',
          taskId: taskId(index),
          action: 'cancel',
          forMs: 24 * 60 * 60 * 1000,
        })),
      )
    },
  )

  test('a release without tasks ends at once (RC-19)', () => {
    expect(run(releaseIn('waiting'), { type: 'cancel' }).state).toBe('canceled')
    expect(run(releaseIn('staged'), { type: 'cancel' }).state).toBe('canceled')
  })

  test.each(['canceling', 'canceled', 'failed', 'published'] as const)(
    'repeated in %s: unchanged (CR-20)',
    (state) => {
      expect(run(releaseIn(state), { type: 'cancel' }).kind).toBe('unchanged')
    },
  )

  test('the release leaves canceling when the last has acknowledged, with the stored outcome (RC-1, RC-20)', () => {
    const one = run(cancelingFrom('running', ['rejected', 'running'], 'failed'), accepted(0, 'cancel'))
    expect([one.state, one.tasks]).toEqual(['canceling', ['rejected', 'running']])
    const two = run(one.release, accepted(1, 'cancel', 'canceled'))
    expect([two.state, two.tasks]).toEqual(['failed', ['rejected', 'canceled']])
    expect(two.events.at(-1)).toBe(
      `error: release ${RELEASE}, version 0.3.1 changed from canceling to failed`,
    )
  })

  test('the answer to cancel is recorded: failed stays failed, a refusal leaves its reason (RC-10)', () => {
    expect(run(cancelingFrom('running', ['running']), accepted(0, 'cancel', 'failed')).tasks).toEqual([
      'failed',
    ])
    const out = run(
      cancelingFrom('running', ['running']),
      refused(0, 'cancel', { reason: 'answered 400: no' }),
    )
    expect([out.state, out.tasks]).toEqual(['canceled', ['canceled']])
    expect(out.events[0]).toBe('error: request to cancel task failed: answered 400: no')
  })

  test('already published tasks stay so, are not told cancel, and are named (RC-21)', () => {
    const stopped = run(releaseIn('publishing', ['published', 'publishing']), { type: 'cancel' })
    expect(stopped.sends).toEqual([`cancel ${taskId(1)}`])
    const out = run(stopped.release, accepted(1, 'cancel', 'canceled'))
    expect([out.state, out.tasks]).toEqual(['canceled', ['published', 'canceled']])
    expect(warnings(out.events)).toEqual([
      `warning: release ${RELEASE} was partially published: ${taskId(0)}`,
    ])
  })

  test('a task that publishes while the release is canceling stays published, and ends the wait (RC-19, RC-21)', () => {
    const record = cancelingFrom('publishing', ['publishing', 'staged'])
    const out = run(record, report(0, { state: 'published' }))
    expect([out.state, out.tasks[0], out.release.tasks[0]?.cancelPending]).toEqual([
      'canceling',
      'published',
      false,
    ])
    expect(out.effects).toContainEqual({ type: 'tell_no_more', taskId: taskId(0) })
    const ended = run(out.release, accepted(1, 'cancel'))
    expect(ended.tasks).toEqual(['published', 'canceled'])
  })

  test.each(['publishing', 'staged'] as const)(
    'a %s task whose service answers cancel with published is published, whatever the words (RC-21)',
    (state) => {
      const record = cancelingFrom('publishing', [state])
      for (const command of [
        accepted(0, 'cancel', 'published'),
        refused(0, 'cancel', { shown: 'published' }),
      ]) {
        const out = run(record, command)
        expect([out.state, out.tasks]).toEqual(['canceled', ['published']])
        expect(warnings(out.events)).toHaveLength(1)
      }
    },
  )

  test('a service that shows published too late is at least told of (RC-10)', () => {
    const ended = releaseIn('canceled', [taskIn(0, 'canceled', { cancelPending: true })], {
      stoppedFrom: 'publishing',
      outcome: 'canceled',
    })
    const out = run(ended, accepted(0, 'cancel', 'published'))
    expect([out.state, out.tasks]).toEqual(['canceled', ['canceled']])
    expect(warnings(out.events)).toEqual([expect.stringContaining('shows published')])
  })

  test('a task that was never told to publish does not become published by its answer (RC-14)', () => {
    const out = run(cancelingFrom('running', ['running']), accepted(0, 'cancel', 'published'))
    expect([out.state, out.tasks]).toEqual(['canceled', ['canceled']])
    expect(warnings(out.events)).toHaveLength(1)
  })

  test('what was decided first stays decided (RC-18)', () => {
    const failed = run(releaseIn('running', ['running', 'running']), report(0, { state: 'failed' })).release
    expect(run(failed, { type: 'cancel' }).kind).toBe('unchanged')
    expect(run(failed, report(1, { state: 'canceled' })).release.outcome).toBe('failed')
  })
})

describe('publish', () => {
  test('from staged: every task is told publish (RC-1)', () => {
    const out = run(releaseIn('staged', ['staged', 'staged']), { type: 'publish' })
    expect([out.state, out.tasks]).toEqual(['publishing', ['staged', 'staged']])
    expect(out.effects.filter((effect) => effect.type === 'send')).toEqual(
      [0, 1].map((index): Effect => {
        return { type: 'send', taskId: taskId(index), action: 'publish', forMs: POLICY.publishDeadlineMs }
      }),
    )
  })

  test.each(RELEASE_STATES.filter((state) => state !== 'staged'))('from %s: refused (CR-21)', (state) => {
    expect(run(releaseIn(state), { type: 'publish' }).refusal).toBe(
      `The release in state ${state} may not be published.`,
    )
  })
})

describe('edit', () => {
  const edit = (fields: Extract<Command, { type: 'edit' }>['fields']): Command => ({ type: 'edit', fields })

  test('while waiting every field may change', () => {
    const out = run(releaseIn('waiting'), edit({ name: 'new', isMajor: true, studies: ['SD_00000009'] }))
    expect(out.release).toMatchObject({ name: 'new', isMajor: true, studies: ['SD_00000009'] })
  })

  test.each(RELEASE_STATES.filter((state) => state !== 'waiting'))(
    'in %s only the description (RC-37)',
    (state) => {
      const record = releaseIn(state)
      expect(run(record, edit({ description: 'why' })).release.description).toBe('why')
      expect(run(record, edit({ description: 'why', name: 'other' })).refusal).toMatch(/^name: /)
      expect(run(record, edit({ isMajor: true })).refusal).toMatch(/^isMajor: /)
      expect(run(record, edit({ tags: [] })).refusal).toMatch(/^tags: /)
      expect(run(record, edit({ studies: ['SD_00000001'] })).refusal).toMatch(/^studies: /)
      expect(run(record, edit({ author: 'x' })).refusal).toMatch(/^author: /)
    },
  )

  test('equal values are allowed, studies in any order (RC-37)', () => {
    const same = { name: 'spring', tags: ['a'], studies: ['SD_00000002', 'SD_00000001'] as const }
    expect(run(releaseIn('running', ['running']), edit(same)).kind).toBe('unchanged')
  })
})

test('nothing is decided about a release that is not there', () => {
  expect(decide(null, { type: 'cancel' }, momentAt(NOW))).toMatchObject({
    kind: 'refused',
    refusal: { code: 'NOT_FOUND' },
  })
})
