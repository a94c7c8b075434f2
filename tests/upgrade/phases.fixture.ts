// Brings releases into every phase that can be in a database. Each is named after its phase; what may become of it is
// in tests/upgrade.test.ts. Both services take part in every release, and the second one is hard to reach.
import { call, until } from '../processes.fixture.ts'
import { SERVICES, type RecordingRoom, type Service } from './recording-room.fixture.ts'

// Long enough that everything is killed before the next try, and no longer than a test may wait for it.
const NEXT_TRY_MS = { least: 2000, most: 6000 }
const FAILURES_FOR_ATTENTION = 5
const MOST_TRIES = 50

type Works = { readonly [service in Service]?: readonly string[] }

/** A release whose gates are open as far as is said; the others stay closed. */
async function issue(room: RecordingRoom, phase: string, open: Works): Promise<string> {
  const id = await room.issue(phase)
  for (const service of SERVICES) for (const work of open[service] ?? []) room.gate(service, work, id)
  return id
}

async function issueStaged(room: RecordingRoom, phase: string, open: Works = {}): Promise<string> {
  const id = await issue(room, phase, {
    main: ['stage', ...(open.main ?? [])],
    second: ['stage', ...(open.second ?? [])],
  })
  await room.become(id, 'staged')
  return id
}

async function publish(room: RecordingRoom, id: string): Promise<void> {
  const { code, body } = await call('POST', `${room.url('coordinator')}/releases/${id}/publish`)
  if (code !== 200) throw new Error(JSON.stringify(body))
}

async function cancel(room: RecordingRoom, id: string): Promise<void> {
  await call('DELETE', `${room.url('coordinator')}/releases/${id}`)
}

const working = (work: string) => (task: any) => task.work === work && task.waiting_for.what.includes('runs')
const failedOften = (times: number) => (task: any) => task.failures >= times

async function bothWork(room: RecordingRoom, id: string, work: string): Promise<void> {
  for (const service of SERVICES) await room.at(service, id, working(work))
}

/** The three ends; of one of them the cleanup is not done yet. */
async function recordEnds(room: RecordingRoom): Promise<void> {
  const published = await issueStaged(room, 'published', { main: ['publish'], second: ['publish'] })
  await publish(room, published)
  await room.become(published, 'published')

  const canceled = await issueStaged(room, 'canceled', { main: ['discard'], second: ['discard'] })
  await cancel(room, canceled)
  await room.become(canceled, 'canceled')
  for (const service of SERVICES) await room.at(service, canceled, (task) => task.cleanup === 'done')

  const failed = await issue(room, 'failed', { main: ['discard'], second: ['stage', 'discard'] })
  room.gate('main', 'stage', failed, 'refuse')
  await room.become(failed, 'failed')

  const discarding = await issueStaged(room, 'canceled, discard under way')
  await cancel(room, discarding)
  await room.become(discarding, 'canceled')
  await bothWork(room, discarding, 'discard')
}

async function recordRunning(room: RecordingRoom): Promise<void> {
  await issueStaged(room, 'staged')
  const running = await issue(room, 'running', {})
  await bothWork(room, running, 'stage')
  const half = await issue(room, 'running, one task staged', { main: ['stage'] })
  await until(
    () => room.release(half),
    (seen) => seen.main.state === 'staged',
  )
}

async function recordPublishing(room: RecordingRoom): Promise<void> {
  const publishing = await issueStaged(room, 'publishing')
  await publish(room, publishing)
  await bothWork(room, publishing, 'publish')

  const half = await issueStaged(room, 'publishing, one task published', { main: ['publish'] })
  await publish(room, half)
  await until(
    () => room.release(half),
    (seen) => seen.main.state === 'published',
  )
}

/** Begun early, because it takes long until it has failed so often. */
async function beginAttention(room: RecordingRoom): Promise<() => Promise<void>> {
  const id = await issueStaged(room, 'publishing, needs attention', { second: ['publish'] })
  room.gate('main', 'publish', id, 'fail')
  await publish(room, id)
  return async () => {
    await room.at('main', id, failedOften(FAILURES_FOR_ATTENTION))
    room.close('main', 'publish', id)
    await room.at('main', id, working('publish'))
  }
}

/** Actions that were never heard, and actions whose answer never came. */
async function recordUndelivered(room: RecordingRoom): Promise<void> {
  const { front } = room
  const canceling = await issueStaged(room, 'canceling', { main: ['discard'] })
  const unheard = await issueStaged(room, 'publishing, publish not delivered', { main: ['publish'] })
  front.lose('get_status', 'request')
  front.lose('cancel', 'hang')
  await cancel(room, canceling)
  front.lose('publish', 'request')
  await publish(room, unheard)

  front.lose('start', 'answer')
  const started = await issue(room, 'running, answer to start lost', { main: ['stage'] })
  await room.at('second', started, working('stage'))
  front.lose('start', 'request')
  const notStarted = await issue(room, 'running, start not delivered', { main: ['stage'] })
  await room.at('second', notStarted, (task) => task.state === 'pending')

  front.lose('initialize', 'answer')
  const initialized = await issue(room, 'initializing, answer lost', {})
  await room.at('second', initialized, (task) => task.state === 'pending')
  front.lose('initialize', 'request')
  const initializing = await issue(room, 'initializing', {})
  for (const id of [initialized, initializing]) await room.at('main', id, (task) => task.state === 'pending')
  await until(
    () => room.release(unheard),
    (seen) => seen.state === 'publishing' && seen.main.state === 'published',
  )
  await room.become(canceling, 'canceling')
}

/** A release that did not wait for a service which does not answer; that service is told for a day. */
async function prepareUnheardCancel(room: RecordingRoom): Promise<() => Promise<void>> {
  const id = await issueStaged(room, 'canceled, cancel not delivered', { main: ['discard'] })
  return async () => {
    await room.startCoordinator({ ACTION_DEADLINE: '1s' })
    await cancel(room, id)
    await room.become(id, 'canceled')
    await room.kill('coordinator')
    await room.at('main', id, (task) => task.cleanup === 'done')
  }
}

/** Releases whose services will have something to report when the coordinator is gone. */
async function prepareReports(room: RecordingRoom): Promise<() => Promise<void>> {
  const staged = await issue(room, 'running, staged not reported', {})
  const failed = await issue(room, 'running, failed not reported', {})
  for (const id of [staged, failed]) await bothWork(room, id, 'stage')
  const published = await issueStaged(room, 'publishing, published not reported')
  await publish(room, published)
  await bothWork(room, published, 'publish')
  return async () => {
    for (const service of SERVICES) room.gate(service, 'stage', staged)
    for (const service of SERVICES) room.gate(service, 'publish', published)
    room.gate('main', 'stage', failed, 'refuse')
    for (const [id, state] of [
      [staged, 'staged'],
      [published, 'published'],
      [failed, 'failed'],
    ] as const)
      await room.at('main', id, (task) => task.state === state && task.report?.failures > 0)
    await room.at('second', staged, (task) => task.state === 'staged')
    await room.at('second', published, (task) => task.state === 'published')
  }
}

async function recordTombstone(room: RecordingRoom): Promise<void> {
  const action = { action: 'cancel', task_id: 'TA_NEVERTLD', release_id: 'RE_NEVERTLD' }
  const { code } = await call('POST', `${room.url('main')}/tasks`, action)
  if (code !== 404) throw new Error(`cancel of an unknown task was answered ${code}`)
}

async function betweenTries(room: RecordingRoom, id: string): Promise<void> {
  room.gate('main', 'stage', id, 'fail')
  await room.at('main', id, (task) => {
    const inMs = Date.parse(task.waiting_for?.next_try ?? '') - Date.now()
    return task.failures > 0 && inMs > NEXT_TRY_MS.least && inMs < NEXT_TRY_MS.most
  })
}

/**
 * A release that nobody has begun yet exists for a moment only. A coordinator is started, and killed as soon as its
 * database shows one; where it was faster, its database is put back as it was, and it is tried again.
 */
async function catchWaiting(room: RecordingRoom): Promise<void> {
  const restore = room.keepCoordinator()
  for (let tries = 1; tries <= MOST_TRIES; tries++) {
    await room.startCoordinator()
    const claimed = () => room.rows('coordinator', 'SELECT 1 FROM actions WHERE claimed_by IS NOT NULL')
    await until(
      async () => claimed(),
      (rows) => rows.length > 0,
    )
    const issued = room.issue('waiting').catch(() => undefined)
    const seen = async () => room.rows('coordinator', "SELECT 1 FROM releases WHERE name = 'waiting'")
    await until(seen, (rows) => rows.length > 0, 10_000, 0)
    await room.kill('coordinator')
    await issued
    const states = room.rows('coordinator', "SELECT state FROM releases WHERE name = 'waiting'")
    if (states[0]?.['state'] === 'waiting') return
    restore()
  }
  throw new Error(`in ${MOST_TRIES} tries no release was caught before it began`)
}

/** Leaves everything as a crash of all three processes leaves it. */
export async function recordPhases(room: RecordingRoom): Promise<void> {
  const attention = await beginAttention(room)
  await recordEnds(room)
  await recordRunning(room)
  await recordPublishing(room)
  await recordTombstone(room)
  const reports = await prepareReports(room)
  const unheardCancel = await prepareUnheardCancel(room)
  const retried = await issue(room, 'running, between two tries', { second: ['stage'] })
  await recordUndelivered(room)
  await attention()
  await room.kill('coordinator')
  await unheardCancel()
  await reports()
  await betweenTries(room, retried)
  for (const service of SERVICES) await room.kill(service)
  room.front.hang()
  await catchWaiting(room)
}
