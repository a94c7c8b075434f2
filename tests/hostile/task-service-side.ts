import { openDatabase, registerProcess } from '@release-task/database'
import { createLogger } from '@release-task/http'
import { memoryQueue } from '@release-task/queue'
import { readConfig } from '../../packages/task-service/src/config.ts'
import { createCoordinatorClient } from '../../packages/task-service/src/coordinator-client.ts'
import { FakeCoordinator } from '../../packages/task-service/src/coordinator.fixture.ts'
import { defineTask } from '../../packages/task-service/src/define.ts'
import { createTaskService } from '../../packages/task-service/src/service.ts'
import { MIGRATIONS } from '../../packages/task-service/src/service.fixture.ts'
import type { Route, Side } from './side.ts'

const RELEASE = 'RE_00000001'
const body = (action: string, task_id: string) => ({
  action,
  task_id,
  release_id: RELEASE,
  studies: ['SD_00000001'],
})

/** A task in each state that lasts; what is accepted of the generated requests moves them on. */
const TASKS: { readonly [id: string]: readonly string[] } = {
  TA_PENDING0: ['initialize'],
  TA_STAGED00: ['initialize', 'start'],
  TA_CANCELED: ['initialize', 'cancel'],
  TA_PUBLISHD: ['initialize', 'start', 'publish'],
}
const AFTER: { readonly [action: string]: string } = { start: 'staged', publish: 'published' }

const LIST_QUERY = ['limit', 'offset', 'state', 'release_id']
const IDS = [...Object.keys(TASKS), 'TA_NOTHERE0']

const ROUTES: readonly Route[] = [
  ...['initialize', 'start', 'publish', 'get_status', 'cancel'].map((action) => ({
    method: 'POST',
    path: '/tasks',
    body: body(action, IDS[action.length % IDS.length]!),
  })),
  { method: 'GET', path: '/tasks', query: LIST_QUERY },
  ...IDS.flatMap((id) => [
    { method: 'GET', path: `/tasks/${id}` },
    { method: 'GET', path: `/tasks/${id}/events`, query: ['after'] },
    { method: 'POST', path: `/tasks/${id}/retry`, body: {} },
    { method: 'POST', path: `/tasks/${id}/give-up`, body: {} },
  ]),
  ...['/status', '/livez', '/readyz', '/openapi.json'].map((path) => ({ method: 'GET', path })),
]

/** A whole task service whose work takes no time, beside a coordinator that agrees to everything. */
export async function openTaskService(databaseUrl: string): Promise<Side> {
  const coordinator = await new FakeCoordinator().start()
  const config = readConfig({
    DATABASE_URL: databaseUrl,
    COORDINATOR_API: coordinator.url,
    LOG_LEVEL: 'silent',
    RATE_LIMIT: '0',
    MIN_FREE_SPACE: '0',
  })
  const database = await openDatabase({
    url: databaseUrl,
    side: 'task-service',
    name: 'hostile',
    migrations: MIGRATIONS,
    sync: 'normal',
  })
  const registration = await registerProcess(database, 'all')
  const service = await createTaskService({
    role: 'all',
    task: defineTask({ name: 'hostile', version: '1.0.0', stage: () => undefined, publish: () => undefined }),
    database,
    queue: memoryQueue(),
    coordinator: createCoordinatorClient(coordinator.url),
    config,
    owner: registration.owner,
    log: createLogger('hostile', 'silent'),
  })
  service.start()
  for (const [id, actions] of Object.entries(TASKS))
    for (const action of actions) await act(service.app, body(action, id))
  const close = async () => {
    await service.stop()
    await service.app.close()
    await registration.release()
    await database.close()
    await coordinator.close()
  }
  return { app: service.app, database, routes: ROUTES, wrongWith, keepsOf, close }
}

async function act(app: Side['app'], payload: ReturnType<typeof body>): Promise<void> {
  const response = await app.inject({ method: 'POST', url: '/tasks', payload })
  if (response.statusCode !== 200) throw new Error(`Not prepared: ${response.body}`)
  const wanted = AFTER[payload.action]
  if (wanted === undefined) return
  for (let tries = 0; tries < 500; tries++) {
    const { state } = (await app.inject(`/tasks/${payload.task_id}`)).json() as { state: string }
    if (state === wanted) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`${payload.task_id} never came to be ${wanted}`)
}

/** `{message, code}`, both with something to read (SV-14). */
const wrongWith: Side['wrongWith'] = (answer) => {
  const { message, code, ...rest } = (answer ?? {}) as Record<string, unknown>
  if (typeof message !== 'string' || message.trim() === '') return 'no message'
  if (typeof code !== 'string' || !/^[A-Z_]+$/.test(code)) return 'no code'
  return Object.keys(rest).length > 0 ? `more than message and code: ${Object.keys(rest).join(', ')}` : null
}

/** A cancel for an unknown task is refused and remembered, by the state table of docs/protocol.md. */
const keepsOf: Side['keepsOf'] = ({ method, payload }, { status }) =>
  method === 'POST' && status === 404 && String(payload).includes('"cancel"')
