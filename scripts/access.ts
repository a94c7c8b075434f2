// docs/access.md: which request needs which permission, and who has it, asked of the code itself.
import { createPolicy, PERMISSIONS, type Caller, type Permission } from '../packages/auth/src/index.ts'
import { permissionOf as coordinatorNeeds } from '../packages/coordinator/src/http/permissions.ts'
import { permissionOf as serviceNeeds } from '../packages/task-service/src/http-permissions.ts'

const STUDIES = ['SD_00000001']
const user = (role: 'USER' | 'DEV' | 'ADMIN'): Caller => ({
  kind: 'user',
  id: role,
  name: role,
  role,
  studies: STUDIES,
})
const CALLERS: { readonly [who: string]: Caller } = {
  nobody: { kind: 'anonymous' },
  viewer: user('USER'),
  developer: user('DEV'),
  admin: user('ADMIN'),
  machine: { kind: 'machine', client: 'a', isAdmin: false },
}

const COORDINATOR = [
  'GET /releases', 'GET /events/stream', 'GET /releases/latest-published', 'POST /releases', 'PATCH /releases/RE_…',
  'POST /releases/RE_…/publish', 'DELETE /releases/RE_…', 'POST /releases/status_checks', 'PATCH /tasks/TA_…',
  'POST /tasks/status_checks', 'POST /task-services', 'PATCH /task-services/TS_…', 'DELETE /task-services/TS_…',
  'POST /task-services/health_checks', 'POST /release-notes', 'PATCH /release-notes/RN_…',
  'DELETE /release-notes/RN_…', 'POST /studies/sync', 'GET /audit', 'GET /sign-in', 'GET /me', 'POST /graphql',
  'GET /metrics', 'GET /readyz',
] // prettier-ignore
const SERVICE = [
  'GET /status', 'GET /readyz', 'GET /tasks', 'GET /tasks/TA_…/events', 'GET /metrics', 'POST /tasks',
  'POST /tasks/TA_…/retry', 'POST /tasks/TA_…/give-up',
] // prettier-ignore

function row(request: string, needs: typeof coordinatorNeeds): string {
  const [method = '', path = ''] = request.split(' ')
  const permission: Permission = needs(method, path) ?? 'probe'
  const policy = createPolicy({ auth: 'on', reads: 'open' })
  const marks = Object.values(CALLERS).map((caller) =>
    policy.may(caller, permission, { studies: STUDIES }) ? '✓' : '',
  )
  return `| \`${request}\` | \`${permission}\` | ${marks.join(' | ')} |`
}

function table(requests: readonly string[], needs: typeof coordinatorNeeds): string[] {
  const who = Object.keys(CALLERS)
  return [
    `| request | permission | ${who.join(' | ')} |`,
    `|---|---|${who.map(() => '---|').join('')}`,
    ...requests.map((request) => row(request, needs)),
  ]
}

export function access(note: string): string {
  return [
    note,
    '# Who may do what',
    '',
    'With `AUTH=on`, by the token of the caller (rules AU-1 to AU-10 in [protocol.md](protocol.md)). With `AUTH_READS=required` nobody reads',
    'without a token, except what needs `probe`. A machine whose client is in `AUTH_ADMIN_CLIENTS` counts as admin. A developer creates',
    'releases over studies of its groups only.',
    '',
    '```sh',
    'TOKEN=$(npx release-task token --role admin)              # for the coordinator that `npm start` runs; --for task: for its services',
    'curl -H "authorization: Bearer $TOKEN" http://127.0.0.1:5001/audit',
    '```',
    '',
    '## Coordinator',
    '',
    ...table(COORDINATOR, coordinatorNeeds),
    '',
    '## Task service',
    '',
    ...table(SERVICE, serviceNeeds),
    '',
    '## Permissions',
    '',
    '| permission | what for |',
    '|---|---|',
    ...Object.entries(PERMISSIONS).map(([name, { about }]) => `| \`${name}\` | ${about} |`),
  ].join('\n')
}
