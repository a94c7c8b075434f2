import type { CoordinatorTaskState, ReleaseState } from '@release-task/protocol'
import { describe, expect, test } from 'vitest'
import type { Command } from './decision.ts'
import {
  accepted,
  begin,
  momentAt,
  NOW,
  POLICY,
  refused,
  releaseIn,
  report,
  run,
  serviceId,
  taskId,
  taskIn,
} from './record.fixture.ts'
import { NO_DEADLINES, type CoordinatorTask, type DeadlineName, type Deadlines } from './record.ts'

const tick: Command = { type: 'tick' }
const LENGTH = 10_000

/** Apart from each other, so that a deadline which counts from the wrong one ends at the wrong time. */
const RELEASE_SINCE = NOW - 7000
const TASK_SINCE = NOW - 5000
const LAST_HEARD = NOW - 3000
const BEGINS: { readonly [name in DeadlineName]: number } = {
  accept: RELEASE_SINCE,
  silence: LAST_HEARD,
  total: TASK_SINCE,
}

const own = (deadlines: Partial<Deadlines>): Deadlines => ({ ...NO_DEADLINES, ...deadlines })

function taskWith(
  index: number,
  state: CoordinatorTaskState,
  deadlines: Partial<Deadlines>,
  fields: Partial<CoordinatorTask> = {},
) {
  const times = { since: TASK_SINCE, lastActivityAt: LAST_HEARD }
  return taskIn(index, state, { ...times, deadlines: own(deadlines), ...fields })
}

const releaseWith = (state: ReleaseState, tasks: readonly (CoordinatorTaskState | CoordinatorTask)[]) =>
  releaseIn(state, tasks, { since: RELEASE_SINCE })

const attention = (events: readonly string[]) => events.filter((one) => one.includes('needs attention'))

const BEFORE_PUBLISH = [
  ['initializing', 'waiting', 'accept', 'initialize was not taken'],
  ['running', 'initialized', 'accept', 'start was not taken'],
  ['running', 'running', 'silence', 'it has not been heard of for that long while running'],
  ['running', 'running', 'total', 'it is still running'],
] as const
const PUBLISHING = [
  ['publishing', 'staged', 'accept', 'publish was not taken'],
  ['publishing', 'publishing', 'silence', 'it has not been heard of for that long while publishing'],
  ['publishing', 'publishing', 'total', 'it is still publishing'],
] as const

describe('a deadline of the service', () => {
  test.each(BEFORE_PUBLISH)('in %s, task %s: the end of %s cancels (RC-38)', (release, state, name, why) => {
    const record = releaseWith(release, [taskWith(0, state, { [name]: LENGTH })])
    const ends = BEGINS[name] + LENGTH
    expect(run(record, tick, momentAt(ends - 1)).state).toBe(release)
    const out = run(record, tick, momentAt(ends))
    const reason = `task ${taskId(0)} of task service ${serviceId(0)}: deadline ${name} of 10s has ended: ${why}`
    expect(out).toMatchObject({ state: 'canceling', release: { outcome: 'canceled', reason } })
    expect(out.effects).toContainEqual(
      expect.objectContaining({
        eventType: 'error',
        message: reason,
        taskId: taskId(0),
        serviceId: serviceId(0),
      }),
    )
    expect(out.sends).toEqual([`cancel ${taskId(0)}`])
  })

  test.each(PUBLISHING)(
    'in %s, task %s: the end of %s only calls for a person, once',
    (_, state, name, why) => {
      const record = releaseWith('publishing', [taskWith(0, state, { [name]: LENGTH })])
      const ends = BEGINS[name] + LENGTH
      expect(run(record, tick, momentAt(ends - 1)).release.tasks[0]?.needsAttention).toBe(false)
      const out = run(record, tick, momentAt(ends))
      expect([out.state, out.tasks, out.sends]).toEqual(['publishing', [state], []])
      expect(out.release).toMatchObject({
        outcome: null,
        tasks: [{ needsAttention: true, overdue: name, lastError: expect.stringContaining(why) }],
      })
      expect(out.events).toEqual([
        `warning: task ${taskId(0)} of task service ${serviceId(0)} needs attention: deadline ${name} of 10s has ended: ${why}`,
      ])
      expect(run(out.release, tick, momentAt(ends + 1)).kind).toBe('unchanged')
      expect(out.release.dueAt).not.toBe(ends)
    },
  )

  test('whose length is no whole number of seconds is told in milliseconds', () => {
    const record = releaseWith('running', [taskWith(0, 'running', { silence: 1250 })])
    expect(run(record, tick).release.reason).toContain('deadline silence of 1250ms has ended')
  })

  test.each([
    ['initializing', 'initialized', 'waiting'],
    ['running', 'staged', 'running'],
    ['staged', 'staged', 'staged'],
    ['publishing', 'published', 'publishing'],
    ['canceling', 'running', 'running'],
  ] as const)('counts for nothing in %s, task %s', (release, state, other) => {
    const over = taskWith(0, state, { accept: 1, silence: 1, total: 1 }, { cancelPending: true })
    // Another one holds the release up.
    const out = run(releaseWith(release, [over, taskIn(1, other)]), tick)
    expect([out.state, out.events]).toEqual([release, []])
  })
})

describe('a word of the service', () => {
  const marked = (state: 'staged' | 'publishing', name: DeadlineName) => {
    const record = releaseWith('publishing', [taskWith(0, state, { [name]: LENGTH })])
    return run(record, tick, momentAt(BEGINS[name] + LENGTH)).release
  }
  const LATER = momentAt(NOW + LENGTH)

  test('ends a silence, and the next silence is told again', () => {
    const heard = run(marked('publishing', 'silence'), report(0, { progress: 3 }), LATER).release
    expect(heard.tasks[0]).toMatchObject({ needsAttention: false, overdue: null, lastError: null })
    expect(heard.dueAt).toBe(LATER.now + LENGTH)
    expect(attention(run(heard, tick, momentAt(LATER.now + LENGTH)).events)).toHaveLength(1)
  })

  test.each([
    ['publishing', 'total', { progress: 3 }],
    ['staged', 'accept', { message: 'soon' }],
  ] as const)('%s: does not end %s, which is not told again', (state, name, word) => {
    const heard = run(marked(state, name), report(0, word), LATER).release
    expect(heard.tasks[0]).toMatchObject({ needsAttention: true, overdue: name })
    expect(heard.tasks[0]?.lastError).toContain(`deadline ${name}`)
    expect(run(heard, tick, momentAt(LATER.now + 1)).events).toEqual([])
  })

  test('the next state ends all of them, but not why it was stopped', () => {
    const taken = run(marked('staged', 'accept'), accepted(0, 'publish'), LATER).release
    expect(taken.tasks[0]).toMatchObject({ state: 'publishing', needsAttention: false, overdue: null })
    expect(taken.tasks[0]?.lastError).toBeNull()
    // Where the release is canceled for it, the task goes on to tell why.
    const stopped = run(marked('publishing', 'silence'), { type: 'cancel' }, LATER).release
    const ended = run(stopped, accepted(0, 'cancel'), LATER).release.tasks[0]
    expect(ended).toMatchObject({ state: 'canceled', lastError: expect.stringContaining('silence') })
    const done = run(marked('publishing', 'total'), report(0, { state: 'published' }), LATER)
    expect(done.state).toBe('published')
    expect(done.release.tasks[0]).toMatchObject({ needsAttention: false, overdue: null, lastError: null })
  })

  test('a silence and a total that end one after the other are two calls', () => {
    const silent = releaseWith('publishing', [taskWith(0, 'publishing', { silence: 1, total: LENGTH })])
    const first = run(silent, tick)
    const second = run(first.release, tick, momentAt(TASK_SINCE + LENGTH))
    expect([first, second].map((out) => out.release.tasks[0]?.overdue)).toEqual(['silence', 'total'])
    expect(first.release.dueAt).toBe(TASK_SINCE + LENGTH)
    expect([first, second].map((out) => attention(out.events).length)).toEqual([1, 1])
  })
})

describe('where a service has none the settings count, and only there', () => {
  const { taskTimeoutMs, releaseTimeoutMs, actionDeadlineMs, publishDeadlineMs } = POLICY
  const LONG = 10 * releaseTimeoutMs

  test('an own silence takes the place of TASK_TIMEOUT, longer or shorter', () => {
    const at = momentAt(LAST_HEARD + taskTimeoutMs)
    const longer = releaseWith('running', [taskWith(0, 'running', { silence: LONG })])
    expect(run(longer, tick, at).state).toBe('running')
    const none = releaseWith('running', [taskWith(0, 'running', {})])
    expect(run(none, tick, at).release.reason).toContain(
      'deadline silence of 160000s (TASK_TIMEOUT) has ended',
    )
  })

  const LATE = momentAt(RELEASE_SINCE + releaseTimeoutMs)
  const busy = { silence: LONG }

  test('RELEASE_TIMEOUT leaves alone who has an own total, and goes on for the others', () => {
    const slow = taskWith(0, 'running', { ...busy, total: LONG })
    expect(run(releaseWith('running', [slow]), tick, LATE).state).toBe('running')
    expect(run(releaseWith('running', [slow, 'staged']), tick, LATE).state).toBe('running')
    const other = taskWith(1, 'running', busy)
    const out = run(releaseWith('running', [slow, other]), tick, LATE)
    expect(out).toMatchObject({ state: 'canceling', release: { outcome: 'canceled' } })
    expect(out.release.reason).toBe(
      `release RE_00000001 has been running for too long: RELEASE_TIMEOUT of 360000s has ended for task ${taskId(1)} of task service ${serviceId(1)}`,
    )
    // Its total begins once it works: until then only an own accept would bound it.
    const idle = taskWith(1, 'initialized', { total: LONG })
    expect(run(releaseWith('running', [slow, idle]), tick, LATE).state).toBe('canceling')
    const told = taskWith(1, 'initialized', { accept: LONG })
    expect(run(releaseWith('running', [slow, told]), tick, LATE).state).toBe('running')
    expect(
      run(releaseWith('initializing', [taskWith(0, 'waiting', { accept: LONG })]), tick, LATE).state,
    ).toBe('initializing')
  })

  test('while publishing too: the release is not marked for a task that has its own', () => {
    const slow = taskWith(0, 'publishing', { ...busy, total: LONG })
    expect(run(releaseWith('publishing', [slow]), tick, LATE).release.needsAttention).toBe(false)
    const other = taskWith(1, 'publishing', busy)
    expect(run(releaseWith('publishing', [slow, other]), tick, LATE).release.needsAttention).toBe(true)
  })

  test('an action is told for as long as its setting says, or until the own accept ends it (RC-7)', () => {
    const started = (accept: number | null) =>
      run(releaseIn('initializing', [taskWith(0, 'waiting', { accept })]), accepted(0, 'initialize'))
    const published = (accept: number | null) =>
      run(releaseIn('staged', [taskWith(0, 'staged', { accept })]), { type: 'publish' })
    const begun = (deadlines?: Deadlines) =>
      run(releaseIn('waiting'), {
        type: 'begin',
        tasks: [{ id: taskId(0), serviceId: serviceId(0), down: false, ...(deadlines && { deadlines }) }],
      })
    const forMs = (out: { readonly effects: readonly object[] }) =>
      out.effects.flatMap((effect) => ('forMs' in effect ? [effect.forMs] : []))
    expect([begun(), started(null), published(null)].flatMap(forMs)).toEqual([
      actionDeadlineMs,
      actionDeadlineMs,
      publishDeadlineMs,
    ])
    const year = 365 * 24 * 60 * 60 * 1000
    expect([begun(own({ accept: 5 })), started(5), published(5)].flatMap(forMs)).toEqual([year, year, year])
  })

  test('a refusal of publish is no deadline, and fails the release also here (RC-22)', () => {
    const record = releaseWith('publishing', [taskWith(0, 'staged', { accept: LENGTH })])
    expect(run(record, refused(0, 'publish'))).toMatchObject({
      state: 'canceling',
      release: { outcome: 'failed' },
    })
  })
})

test('a release begins with the deadlines that its services have then', () => {
  const deadlines = { accept: 1, silence: 2, total: 3 }
  const tasks = [
    { id: taskId(0), serviceId: serviceId(0), down: false, deadlines },
    { id: taskId(1), serviceId: serviceId(1), down: false },
  ]
  const { release } = run(releaseIn('waiting'), { type: 'begin', tasks })
  expect(release.tasks.map((task) => task.deadlines)).toEqual([deadlines, NO_DEADLINES])
})

test('the next look is when the first deadline of any task ends', () => {
  const out = (deadlines: Partial<Deadlines>) =>
    run(
      releaseWith('running', [taskWith(0, 'running', {}), taskWith(1, 'running', deadlines)]),
      { type: 'edit', fields: { description: 'other' } },
      momentAt(NOW),
    ).release.dueAt
  expect(out({})).toBe(LAST_HEARD + POLICY.taskTimeoutMs)
  expect(out({ silence: LENGTH })).toBe(LAST_HEARD + LENGTH)
  expect(out({ total: LENGTH })).toBe(TASK_SINCE + LENGTH)
  const begun = run(releaseIn('waiting'), begin(1)).release
  expect(begun.dueAt).toBe(NOW + POLICY.releaseTimeoutMs)
})
