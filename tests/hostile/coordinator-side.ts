import { openDatabase, registerProcess } from '@release-task/database'
import { createLogger } from '@release-task/http'
import { memoryQueue } from '@release-task/queue'
import { readConfig } from '../../packages/coordinator/src/config.ts'
import { eventually, FakeService, STUDY } from '../../packages/coordinator/src/coordinator.fixture.ts'
import { createCoordinator } from '../../packages/coordinator/src/coordinator.ts'
import { studiesFromFile } from '../../packages/coordinator/src/study-sync.ts'
import type { Route, Side } from './side.ts'

const SAMPLES = new URL('../../packages/coordinator/samples/studies.json', import.meta.url)
const MIGRATIONS = new URL('../../packages/coordinator/migrations/', import.meta.url)
const PAGE = ['limit', 'offset', 'format']

interface Known {
  readonly releases: readonly string[]
  readonly tasks: readonly string[]
  readonly service: string
  readonly serviceUrl: string
}

/** A whole coordinator with a release that runs, one that was canceled, and a task service that does as it is told. */
export async function openCoordinator(databaseUrl: string): Promise<Side> {
  const service = await new FakeService('hostile').start()
  const config = readConfig({
    DATABASE_URL: databaseUrl,
    LOG_LEVEL: 'silent',
    RATE_LIMIT: '0',
    POLL_INTERVAL: '0',
    HEALTH_INTERVAL: '1h',
  })
  const database = await openDatabase({
    url: databaseUrl,
    side: 'coordinator',
    name: 'coordinator',
    migrations: MIGRATIONS,
    sync: 'normal',
  })
  const registration = await registerProcess(database, 'all')
  const coordinator = await createCoordinator({
    database,
    queue: memoryQueue(),
    config,
    studySource: studiesFromFile(SAMPLES),
    owner: registration.owner,
    random: Math.random,
    log: createLogger('hostile', 'silent'),
  })
  await coordinator.start()
  const known = await prepare(coordinator.app, service.url)
  // The ping of the registration, and the first health check: the row that it is claimed in must not change later.
  await service.until(() => service.statusRequests.length >= 2)
  const close = async () => {
    await coordinator.stop()
    await coordinator.app.close()
    await registration.release()
    await database.close()
    await service.close()
  }
  return { app: coordinator.app, database, routes: routesFor(known), wrongWith, keepsOf, close }
}

async function prepare(app: Side['app'], serviceUrl: string): Promise<Known> {
  const send = async (method: 'GET' | 'POST' | 'DELETE', url: string, payload?: object) => {
    const response = await app.inject({ method, url, ...(payload ? { payload } : {}) })
    if (response.statusCode >= 300) throw new Error(`Not prepared: ${response.body}`)
    return response.body === '' ? null : response.json()
  }
  const service = await send('POST', '/task-services', {
    name: 's',
    description: 'd',
    author: 'a',
    url: serviceUrl,
  })
  const [running, canceled] = [
    await send('POST', '/releases', { name: 'running', studies: [STUDY] }),
    await send('POST', '/releases', { name: 'canceled', studies: [STUDY] }),
  ]
  const reaches = (id: string, state: string) =>
    eventually(
      () => send('GET', `/releases/${id}`),
      (release: any) => release.state === state,
    )
  await reaches(canceled.kf_id, 'running')
  await send('DELETE', `/releases/${canceled.kf_id}`)
  const ended = await reaches(canceled.kf_id, 'canceled')
  const { tasks } = await reaches(running.kf_id, 'running')
  return {
    releases: [running.kf_id, canceled.kf_id, 'RE_NOTHERE0'],
    tasks: [tasks[0].kf_id, ended.tasks[0].kf_id, 'TA_NOTHERE0'],
    service: service.kf_id,
    serviceUrl,
  }
}

function routesFor({ releases, tasks, service, serviceUrl }: Known): readonly Route[] {
  const release = { name: 'n', description: 'd', studies: [STUDY], tags: ['t'], author: 'a', is_major: false }
  const about = { name: 'n', description: 'd', author: 'a', url: serviceUrl, enabled: true }
  const report = { state: 'running', progress: 5, message: 'm', summary: { rows: 1 } }
  return [
    { method: 'GET', path: '/' },
    { method: 'POST', path: '/releases', body: release },
    { method: 'GET', path: '/releases', query: [...PAGE, 'state'] },
    ...releases.flatMap((id) => [
      { method: 'GET', path: `/releases/${id}` },
      { method: 'PATCH', path: `/releases/${id}`, body: release },
      { method: 'PUT', path: `/releases/${id}`, body: release },
      { method: 'POST', path: `/releases/${id}/publish`, body: {} },
    ]),
    { method: 'DELETE', path: `/releases/${releases.at(-1)}`, body: {} },
    { method: 'GET', path: '/tasks', query: [...PAGE, 'state', 'release', 'task_service'] },
    ...tasks.flatMap((id) => [
      { method: 'GET', path: `/tasks/${id}` },
      { method: 'PATCH', path: `/tasks/${id}`, body: report },
      { method: 'PUT', path: `/tasks/${id}`, body: report },
    ]),
    { method: 'POST', path: '/task-services', body: about },
    { method: 'GET', path: '/task-services', query: [...PAGE, 'enabled'] },
    ...[service, 'TS_NOTHERE0'].flatMap((id) => [
      { method: 'GET', path: `/task-services/${id}` },
      { method: 'PATCH', path: `/task-services/${id}`, body: about },
      { method: 'PUT', path: `/task-services/${id}`, body: about },
      { method: 'DELETE', path: `/task-services/${id}`, body: {} },
    ]),
    ...[
      '/task-services/health_checks',
      '/tasks/status_checks',
      '/releases/status_checks',
      '/studies/sync',
    ].map((path) => ({ method: 'POST', path, query: ['force'], body: {} })),
    { method: 'GET', path: '/studies', query: PAGE },
    { method: 'GET', path: `/studies/${STUDY}` },
    { method: 'GET', path: `/studies/${STUDY}/releases`, query: PAGE },
    { method: 'GET', path: '/events', query: [...PAGE, 'release', 'task', 'task_service', 'study'] },
    { method: 'GET', path: '/events/EV_00000001' },
    { method: 'GET', path: '/audit', query: [...PAGE, 'actor', 'action', 'subject', 'after'] },
    ...['/livez', '/readyz', '/openapi.json'].map((path) => ({ method: 'GET', path })),
  ]
}

/** One of the bodies of CR-14: `{detail}`, or messages by field, each with something to read. */
const wrongWith: Side['wrongWith'] = (answer, { method, url }, status) => {
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) return 'no object'
  const fields = Object.entries(answer)
  if (fields.length === 0)
    return status === 404 && method === 'DELETE' && url.includes('/releases/') ? null : 'says nothing'
  const silent = fields.find(([, value]) => !says(value))
  return silent ? `"${silent[0]}" says nothing` : null
}

function says(value: unknown): boolean {
  if (typeof value === 'string') return value.trim() !== ''
  if (typeof value !== 'object' || value === null) return false
  const inner = Object.values(value)
  return inner.length > 0 && inner.every(says)
}

/** The report of a state that is past is refused and kept as an event (RC-25). */
const keepsOf: Side['keepsOf'] = ({ url }, { status }) => status === 409 && url.includes('/tasks/')
