import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startTestIssuer, type TestIssuer } from '@release-task/auth/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { System, until, type Side } from './processes.fixture.ts'

const EFFECTS_TASK = fileURLToPath(new URL('effects.task.ts', import.meta.url))
const [COORDINATOR, SERVICE] = ['release-coordinator', 'release-task-service']

let system: System
let issuer: TestIssuer

beforeEach(async () => {
  system = new System()
  issuer = await startTestIssuer()
})
afterEach(async () => {
  await system.end()
  await issuer[Symbol.asyncDispose]()
})

const environment = (own: string, other: string, client: string) => ({
  AUTH: 'on',
  AUTH_READS: 'required',
  AUTH_ISSUER: issuer.issuer,
  AUTH_AUDIENCE: own,
  AUTH_CLIENT_ID: client,
  AUTH_CLIENT_SECRET: 'secret',
  AUTH_TOKEN_AUDIENCE: other,
})

const startCoordinator = () =>
  system.coordinator(0, { ...environment(COORDINATOR, SERVICE, 'coordinator'), POLL_INTERVAL: '1s' })
const startService = ({ url }: Side, port = 0) => {
  const effects = { EFFECTS_FILE: join(system.folder, 'effects.jsonl'), SWEEP_INTERVAL: '100ms' }
  return system.task(url, port, { ...environment(SERVICE, COORDINATOR, 'service'), ...effects }, EFFECTS_TASK)
}

async function call(method: string, url: string, token: string | null, body?: object) {
  const headers = {
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    ...(body ? { 'content-type': 'application/json' } : {}),
  }
  const answer = await fetch(url, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) })
  const text = await answer.text()
  return { code: answer.status, body: text.startsWith('{') ? JSON.parse(text) : text }
}

const adminToken = () => issuer.token({ kind: 'user', id: 'ada', role: 'ADMIN' }, COORDINATOR)
const asAdmin = async (method: string, url: string, body?: object) =>
  call(method, url, await adminToken(), body)

async function issueRelease(coordinator: Side): Promise<string> {
  const studies = await asAdmin('GET', `${coordinator.url}/studies`)
  const ids = studies.body.results.map((study: { kf_id: string }) => study.kf_id)
  const release = await asAdmin('POST', `${coordinator.url}/releases`, { name: 'A release', studies: ids })
  expect(release.code).toBe(201)
  return `${coordinator.url}/releases/${release.body.kf_id}`
}

async function reaches(release: string, state: string): Promise<any> {
  return until(
    async () => (await asAdmin('GET', release)).body,
    (seen) => seen.state === state,
    20_000,
  )
}

/** How often a client has asked for a token. */
const askedBy = (client: string) =>
  issuer.asked.filter((body) => (body as { client_id: string }).client_id === client).length

interface Pair {
  readonly coordinator: Side
  readonly release: string
  /** The service comes back to another key and without a token: it refuses the coordinator's, and has none to report. */
  comeBack(): Promise<void>
}

/** Both sides with tokens, and a release that is staged. */
async function stage(): Promise<Pair> {
  const coordinator = await startCoordinator()
  let service = await startService(coordinator)
  const port = Number(new URL(service.url).port)
  const registration = { name: 'effects', description: 'under test', author: 'x', url: service.url }
  expect((await asAdmin('POST', `${coordinator.url}/task-services`, registration)).code).toBe(201)
  const release = await issueRelease(coordinator)
  await reaches(release, 'staged')
  expect([askedBy('coordinator'), askedBy('service')]).toEqual([1, 1])
  const comeBack = async () => {
    await service.kill('SIGKILL')
    await issuer.rotate()
    service = await startService(coordinator, port)
  }
  return { coordinator, release, comeBack }
}

/** What must hold of a release however rough its way was: published, without an error, its work done once. */
async function checkEnd({ coordinator, release }: Pair): Promise<void> {
  expect(await reaches(release, 'published')).toMatchObject({ version: '0.1.0', reason: null })
  const { results } = (await asAdmin('GET', `${coordinator.url}/events?limit=100`)).body
  expect(results.filter((event: any) => event.event_type !== 'info')).toEqual([])
  const lines = readFileSync(join(system.folder, 'effects.jsonl'), 'utf8').trim().split('\n')
  const ended = lines.map((line) => JSON.parse(line)).filter(({ edge }) => edge === 'end')
  expect(ended.map(({ work }) => work)).toEqual(['stage', 'publish'])
  expect(coordinator.output()).not.toMatch(/eyJ[\w-]+\.|"secret"/)
}

test('both sides with tokens: published, although the token endpoint is away in the middle (F-26, AU-4)', async () => {
  const pair = await stage()
  issuer.tokens('error')
  await pair.comeBack()
  expect(await asAdmin('POST', `${pair.release}/publish`)).toMatchObject({ code: 200 })
  await until(
    async () => askedBy('coordinator'),
    (count) => count >= 3,
  )
  expect((await asAdmin('GET', pair.release)).body).toMatchObject({ state: 'publishing', reason: null })
  issuer.tokens('good')
  await checkEnd(pair)
})

test('a token that is refused is replaced once (AU-4)', async () => {
  const pair = await stage()
  await pair.comeBack()
  await asAdmin('POST', `${pair.release}/publish`)
  await checkEnd(pair)
  expect(askedBy('coordinator')).toBe(2)
  expect(askedBy('service')).toBe(2)
})

test('the token that one side sends is worth nothing at that side (AU-9, F-29)', async () => {
  const coordinator = await startCoordinator()
  const service = await startService(coordinator)
  const sent = (client: string, audience: string) => issuer.token({ kind: 'machine', client }, audience)
  const checks = `${coordinator.url}/tasks/status_checks`
  expect((await call('POST', checks, await sent('coordinator', SERVICE), {})).code).toBe(403)
  expect((await call('POST', checks, await sent('service', COORDINATOR), {})).code).toBe(200)
  const action = { action: 'get_status', task_id: 'TA_00000001', release_id: 'RE_00000001' }
  expect((await call('POST', `${service.url}/tasks`, await sent('service', COORDINATOR), action)).code).toBe(
    403,
  )
  expect((await call('POST', `${service.url}/tasks`, await sent('coordinator', SERVICE), action)).code).toBe(
    404,
  )
})

const token = (...flags: string[]) => system.run(['token', '--data', system.folder, ...flags])

test('release-task token beside dev: what each role may, and for which side', async () => {
  const gate = join(system.folder, 'gate')
  const ports = ['--coordinator-port', '0', '--issuer-port', '0', '--task-port', '0']
  const env = { EFFECTS_FILE: join(system.folder, 'effects.jsonl'), STAGE_GATE: gate }
  const running = system.run(['dev', EFFECTS_TASK, '--data', system.folder, '--once', ...ports], env)
  const note = join(system.folder, 'issuer', 'issuer.json')
  const { coordinator } = await until(
    async () => JSON.parse(readFileSync(note, 'utf8')) as { coordinator: string },
    (seen) => seen.coordinator !== '',
  )
  await until(
    async () => existsSync(env.EFFECTS_FILE),
    (exists) => exists,
  )
  const printed = async (...flags: string[]) => {
    const { code, stdout, stderr } = await token(...flags)
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
    return stdout.trim()
  }
  const [viewer, developer, admin, atTask] = await Promise.all([
    printed('--role', 'viewer'),
    printed('--role', 'developer'),
    printed('--role', 'admin', '--for', 'coordinator'),
    printed('--role', 'admin', '--for', 'task'),
  ])
  const releases = `${coordinator}/releases`
  const study = (await call('GET', `${coordinator}/studies`, viewer)).body.results[0].kf_id
  const wish = { name: 'by hand', studies: [study] }
  for (const nobody of [null, viewer, atTask])
    expect((await call('POST', releases, nobody, wish)).code).toBe(403)
  const made = await call('POST', releases, developer, wish)
  expect(made).toMatchObject({ code: 201, body: { author: 'dev-dev' } })
  const release = `${releases}/${made.body.kf_id}`
  expect((await call('DELETE', release, developer)).code).toBe(403)
  expect((await call('DELETE', release, admin)).code).toBe(200)

  const service = (await call('GET', `${coordinator}/task-services`, viewer)).body.results[0].url
  const task = (await call('GET', `${service}/tasks`, viewer)).body.results[0].kf_id
  const retry = `${service}/tasks/${task}/retry`
  for (const nobody of [null, admin]) expect((await call('POST', retry, nobody)).code).toBe(403)
  expect((await call('POST', retry, atTask)).code).not.toBe(403)

  writeFileSync(gate, '')
  const { code, stdout, stderr } = await running
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toContain('npx release-task token --role admin')
})

test('release-task token without an issuer, or with a role or a side that is none: one line that helps', async () => {
  const none = await token('--role', 'admin')
  expect([none.code, none.stdout]).toEqual([1, ''])
  expect(none.stderr).toBe(
    `No issuer has run in ${system.folder} yet. Next: npm start, and then npx release-task token --role admin in another terminal\n`,
  )
  const developer = await token('--role', 'developer')
  expect(developer.stderr).toBe(none.stderr)
  const wrong = await token('--role', 'king')
  expect([wrong.code, wrong.stdout]).toEqual([2, ''])
  expect(wrong.stderr).toContain("'king' is invalid. It must be one of viewer, developer, admin.")
  const inherited = await token('--role', 'constructor')
  expect(inherited.stderr).toContain('It must be one of viewer, developer, admin.')
  const side = await token('--role', 'admin', '--for', 'everybody')
  expect(side.stderr).toContain("'everybody' is invalid. It must be one of coordinator, task.")
  const missing = await token()
  expect([missing.code, missing.stdout]).toEqual([2, ''])
  expect(missing.stderr).toContain('--role <role>')
})
