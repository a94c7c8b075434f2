// Programs as tasks, as real processes: what ends, what is never there twice, and what comes to be on the record.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { call, issue, releaseState, System, until, type Side } from './processes.fixture.ts'

const BIN = fileURLToPath(new URL('../packages/cli/bin/release-task.js', import.meta.url))
const PYTHON_EXAMPLE = fileURLToPath(new URL('../examples/python/task.ts', import.meta.url))
const SHELL_EXAMPLE = fileURLToPath(new URL('../examples/shell', import.meta.url))
/** A machine that does many things at once is slower. */
const PATIENCE = process.env['CI'] ? 5 : 1

// Each run, and each child of it, says when it begins, who of its predecessors still lives then, and how it ends.
const PROGRAM = `
import json, os, signal, subprocess, sys, time
path, role = os.environ["NOTES"], sys.argv[1]

def note(edge, **more):
    line = {"edge": edge, "role": role, "pid": os.getpid(), "attempt": int(os.environ["ATTEMPT"]), **more}
    with open(path, "a") as file:
        file.write(json.dumps(line) + "\\n")

def lives(pid):
    try:
        return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False

def earlier():
    lines = [json.loads(line) for line in open(path)] if os.path.exists(path) else []
    return [one["pid"] for one in lines if one["edge"] == "begin" and one["attempt"] < int(os.environ["ATTEMPT"]) and lives(one["pid"])]

def told(*_):
    note("term")
    if os.environ.get("STUBBORN") != "yes":
        sys.exit(0)

signal.signal(signal.SIGTERM, told)
note("begin", beside=earlier(), state=os.environ.get("FROM_STATE"), staged=os.environ.get("STAGED"))
if role == "stage":
    subprocess.Popen([sys.executable, __file__, "child"])
if role in ("stage", "child"):
    print(json.dumps({"progress": 10, "message": "waiting"}))
    while not os.path.exists(os.environ["GATE"]):
        time.sleep(0.01)
    if role == "stage":
        print(json.dumps({"staged": {"by": os.getpid()}}))
note("end")
`

interface Note {
  readonly edge: 'begin' | 'term' | 'end'
  readonly role: 'stage' | 'child' | 'publish' | 'discard'
  readonly pid: number
  readonly attempt: number
  readonly beside?: readonly number[]
  readonly state?: string | null
  readonly staged?: string | null
}

let system: System
let server: Server | null

beforeEach(() => {
  system = new System()
  writeFileSync(join(system.folder, 'program.py'), PROGRAM)
})
afterEach(async () => {
  // Should a test have failed, nothing of it may stay.
  for (const { pid } of notes()) endPid(pid)
  for (const child of watchers.splice(0)) child.kill('SIGKILL')
  await system.end()
  server?.closeAllConnections()
  server?.close()
  server = null
})

function endPid(pid: number): void {
  if (isAlive(pid)) process.kill(pid, 'SIGKILL')
}

/** Whoever has ended, and only waits for its parent to notice, is not alive. */
function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2))
  } catch {
    return false
  }
}

function notes(): Note[] {
  const path = join(system.folder, 'notes')
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line) as Note)
}

const edges = () => notes().map(({ edge, role, attempt }) => `${edge} ${role} ${attempt}`)
const begun = (role: Note['role'], attempt = 1) =>
  notes().find((one) => one.edge === 'begin' && one.role === role && one.attempt === attempt)

/** Both processes of the stage of an attempt, once they run. */
async function runningStage(attempt: number): Promise<number[]> {
  const both = async () => [begun('stage', attempt), begun('child', attempt)]
  const found = await until(both, (seen) => seen.every(Boolean))
  return found.map((one) => one?.pid ?? 0)
}

const PHASES = ['stage', 'publish', 'discard'].flatMap((phase) => [
  `--${phase}`,
  `python3 program.py ${phase}`,
])

function serve(coordinatorUrl: string, port = 0, env: Record<string, string> = {}, more: string[] = []) {
  const place = ['--port', String(port), '--coordinator', coordinatorUrl, '--data', system.folder]
  const settings = {
    NOTES: join(system.folder, 'notes'),
    GATE: join(system.folder, 'gate'),
    MIN_FREE_SPACE: '0',
  }
  return system.start(['serve', ...PHASES, ...place, '--name', 'program', ...more], { ...settings, ...env })
}

const openGate = () => writeFileSync(join(system.folder, 'gate'), '')
const portOf = (side: Side) => Number(new URL(side.url).port)
const taskAt = async (service: Side) => (await call('GET', `${service.url}/tasks`)).body.results[0]
const eventsOf = async (service: Side): Promise<{ type: string; message: string }[]> => {
  const { task_id } = await taskAt(service)
  return (await call('GET', `${service.url}/tasks/${task_id}/events`)).body.results
}
const is = (state: string) => (seen: string) => seen === state

test('python3 is on this machine: without it these tests tell nothing', () => {
  expect(spawnSync('python3', ['--version'])).toMatchObject({ status: 0 })
})

test('cancel ends a program and its child within two seconds; discard is told the state', async () => {
  const coordinator = await system.coordinator()
  const service = await serve(coordinator.url)
  const release = await issue(coordinator.url, service.url)
  const pids = await runningStage(1)
  const asked = performance.now()
  await call('DELETE', release)
  await until(
    async () => pids.filter(isAlive),
    (left) => left.length === 0,
  )
  expect(performance.now() - asked).toBeLessThan(2000 * PATIENCE)
  await until(
    () => taskAt(service),
    (task) => task.cleanup === 'done',
  )
  expect(begun('discard', 2)).toMatchObject({ state: 'running', staged: 'null', beside: [] })
  expect(await releaseState(release)).toBe('canceled')
  const left = () => readdirSync(join(system.folder, 'program', 'release', 'programs'))
  await until(
    async () => left(),
    (folders) => folders.length === 0,
  )
})

test('kill -9 of the worker, and of the leader too: never two at once, and the release ends published', async () => {
  const coordinator = await system.coordinator()
  const stubborn = { STUBBORN: 'yes' }
  let service = await serve(coordinator.url, 0, stubborn, ['--grace', '1s'])
  const port = portOf(service)
  const release = await issue(coordinator.url, service.url)
  await runningStage(1)
  await service.kill('SIGKILL')
  service = await serve(coordinator.url, port, stubborn, ['--grace', '1s'])
  const [leader = 0] = await runningStage(2)
  await service.kill('SIGKILL')
  // Only its child is left of this one: its group has no leader any more.
  process.kill(leader, 'SIGKILL')
  service = await serve(coordinator.url, port, stubborn, ['--grace', '1s'])
  await runningStage(3)
  openGate()
  await until(() => releaseState(release), is('staged'))
  await call('POST', `${release}/publish`)
  await until(() => releaseState(release), is('published'))
  expect(notes().filter((one) => one.beside !== undefined && one.beside.length > 0)).toEqual([])
  // Both were asked first; who does not listen is killed after the grace time.
  const toldToEnd = edges().filter((edge) => edge.startsWith('term'))
  expect(toldToEnd).toEqual(expect.arrayContaining(['term stage 1', 'term child 1', 'term child 2']))
  expect(edges().filter((edge) => edge.startsWith('end'))).toEqual(
    expect.arrayContaining(['end stage 3', 'end publish 4']),
  )
  const types = (await eventsOf(service)).map(({ type }) => type)
  expect(types.filter((type) => type === 'worker_lost')).toHaveLength(2)
})

test('SIGTERM of the worker: the program is told, the lease is given back, the next worker goes on', async () => {
  const coordinator = await system.coordinator()
  let service = await serve(coordinator.url)
  const port = portOf(service)
  const release = await issue(coordinator.url, service.url)
  const pids = await runningStage(1)
  await service.kill('SIGTERM')
  expect(pids.filter(isAlive)).toEqual([])
  expect(edges()).toEqual(expect.arrayContaining(['term stage 1', 'term child 1']))
  openGate()
  service = await serve(coordinator.url, port)
  await until(() => releaseState(release), is('staged'))
  expect(await taskAt(service)).toMatchObject({ attempt: 2, crashes: 0, failures: 0 })
  expect((await eventsOf(service)).map(({ type }) => type)).toContain('work_released')
  // What stage returned is there for whoever undoes it.
  await call('DELETE', release)
  const discard = await until(
    async () => begun('discard', 3),
    (seen) => seen !== undefined,
  )
  const by = notes().find(({ edge, role, attempt }) => edge === 'begin' && role === 'stage' && attempt === 2)
  expect(discard).toMatchObject({ state: 'staged', staged: JSON.stringify({ by: by?.pid }) })
})

test('a worker that is told twice to end takes what does not listen with it', async () => {
  const coordinator = await system.coordinator()
  const service = await serve(coordinator.url, 0, { STUBBORN: 'yes' })
  await issue(coordinator.url, service.url)
  const pids = await runningStage(1)
  service.process.kill('SIGTERM')
  await until(
    async () => edges().filter((edge) => edge.startsWith('term')),
    (told) => told.length === 2,
  )
  expect(pids.filter(isAlive)).toEqual(pids)
  // The same signal within half a second is one that npm has passed on.
  await sleep(600)
  await service.kill('SIGTERM')
  await until(
    async () => pids.filter(isAlive),
    (left) => left.length === 0,
  )
})

test('a worker that was paused for longer than its lease: the next one ends its program first', async () => {
  const coordinator = await system.coordinator()
  const env = { LEASE: '2s', SWEEP_INTERVAL: '100ms' }
  const more = (role: string) => ['--role', role, '--grace', '300ms']
  const api = await serve(coordinator.url, 0, env, more('api'))
  const first = await serve(coordinator.url, 0, env, more('worker'))
  const release = await issue(coordinator.url, api.url)
  const pids = await runningStage(1)
  first.process.kill('SIGSTOP')
  await serve(coordinator.url, 0, env, more('worker'))
  await runningStage(2)
  expect(pids.filter(isAlive)).toEqual([])
  openGate()
  await until(() => releaseState(release), is('staged'))
  first.process.kill('SIGCONT')
  await until(
    () => eventsOf(api),
    (events) => events.some(({ type }) => type === 'late_report'),
  )
  await call('POST', `${release}/publish`)
  await until(() => releaseState(release), is('published'))
  expect(notes().filter((one) => one.beside !== undefined && one.beside.length > 0)).toEqual([])
})

/**
 * Participants of three studies, 50,000 in all, in pages. `fails` says which requests are answered 503, and `held` which
 * wait.
 */
async function dataservice(
  fails: (nth: number) => boolean,
  held: (nth: number) => Promise<void> | null = () => null,
): Promise<{ url: string; requests: string[] }> {
  const requests: string[] = []
  const ROWS: { readonly [index: number]: number } = [20_000, 17_500, 12_500]
  const studies: string[] = []
  server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '', 'http://fake')
    const study = url.searchParams.get('study_id') ?? ''
    if (!studies.includes(study)) studies.push(study)
    const total = ROWS[studies.indexOf(study)] ?? 0
    const nth = requests.push(url.search)
    await held(nth)
    if (fails(nth)) return void response.writeHead(503).end()
    const limit = Number(url.searchParams.get('limit'))
    const from = Number(url.searchParams.get('after') ?? 0)
    const length = Math.max(0, Math.min(limit, total - from))
    const results = Array.from({ length }, (_, index) => ({ kf_id: `PT_${from + index}`, study }))
    const next = `/participants?study_id=${study}&after=${from + limit}`
    const _links = from + length < total ? { next } : {}
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ results, total, _links }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests }
}

const watchers: ChildProcess[] = []

/** The lines of `releases watch`, as they come. */
function watch(coordinator: string, release: string) {
  const args = ['--conditions=development', BIN, 'releases', 'watch', basename(release)]
  const env = { PATH: process.env['PATH'] ?? '', HOME: system.folder, COORDINATOR_API: coordinator }
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  watchers.push(child)
  let text = ''
  child.stdout.on('data', (piece: Buffer) => (text += piece.toString()))
  const ended = once(child, 'close').then(([code]) => code as number | null)
  return { ended, lines: () => text.trimEnd().split('\n') }
}

const has = (pattern: RegExp) => (lines: readonly string[]) => lines.some((line) => pattern.test(line))

test('the example in Python reads 50,000 rows by pages, is tried again after a 75, and all of it is on the record and in watch', async () => {
  const seen = Promise.withResolvers<void>()
  const source = await dataservice(
    (nth) => nth === 25,
    (nth) => (nth === 35 ? seen.promise : null),
  )
  const coordinator = await system.coordinator()
  // Nothing is written into the folder of the example.
  const quiet = { PYTHONDONTWRITEBYTECODE: '1', MIN_FREE_SPACE: '0' }
  const env = { DATASERVICE_URL: source.url, PROGRESS_INTERVAL: '1ms', ...quiet }
  const service = await system.task(coordinator.url, 0, env, PYTHON_EXAMPLE)
  const release = await issue(coordinator.url, service.url)
  const watching = watch(coordinator.url, release)
  // The second attempt waits until whoever watches has seen it.
  await until(async () => watching.lines(), has(/running \d+%, attempt 2: SD_\w{8}: [\d,]+ rows/))
  seen.resolve()
  await until(() => releaseState(release), is('staged'))
  const task = await taskAt(service)
  expect(task).toMatchObject({
    attempt: 2,
    failures: 0,
    progress: 100,
    summary: { studies: 3, rows: 50_000 },
    message: expect.stringMatching(/^SD_\w{8}: [\d,]+ rows$/),
  })
  const events = await eventsOf(service)
  expect(events.map(({ type }) => type)).toEqual(
    expect.arrayContaining(['stage_started', 'step_finished', 'stage_failed', 'staged']),
  )
  const failed = events.find(({ type }) => type === 'stage_failed')
  expect(failed?.message).toMatch(/exit code 75\)[^]*GET \/participants\?.* answered 503/)
  // The step that counts was not run again: three requests, not six.
  expect(source.requests.filter((query) => query.endsWith('limit=1'))).toHaveLength(3)
  await until(async () => watching.lines(), has(/staged, attempt 2: studies 3, rows 50,000$/))
  await call('POST', `${release}/publish`)
  await until(() => releaseState(release), is('published'))
  expect(await watching.ended).toBe(0)
  expect(watching.lines().join('\n')).toMatch(/exit code 75[^]*GET \/participants\?.* answered 503/)
  const latest = join(system.folder, 'participants', 'release', 'public', 'latest')
  const rows = readdirSync(latest).map(
    (file) => readFileSync(join(latest, file), 'utf8').split('\n').length - 1,
  )
  expect(rows.toSorted((a, b) => a - b)).toEqual([12_500, 17_500, 20_000])
  // Of its log there are lines, with the ids.
  const said = service
    .output()
    .split('\n')
    .filter((line) => line.includes('is read'))
  expect(JSON.parse(said[0] ?? '')).toMatchObject({ task_id: task.task_id, release_id: task.release_id })
})

test('the example in plain shell: published, without any TypeScript, name or version', async () => {
  const source = await dataservice(() => false)
  const coordinator = await system.coordinator()
  const script = (name: string) => [`--${name}`, `cd ${SHELL_EXAMPLE} && exec ./${name}.sh`]
  const place = ['--port', '0', '--coordinator', coordinator.url, '--data', system.folder]
  const env = { DATASERVICE_URL: source.url, MIN_FREE_SPACE: '0' }
  const programs = ['stage', 'publish', 'discard'].flatMap(script)
  const service = await system.start(['serve', ...programs, ...place], env)
  const release = await issue(coordinator.url, service.url)
  await until(() => releaseState(release), is('staged'))
  const task = await taskAt(service)
  expect(task).toMatchObject({ summary: { studies: 3 }, attempt: 1 })
  expect(task.name).toBe(basename(system.folder).toLowerCase())
  expect(task.ran_version).toMatch(/^sha-[0-9a-f]{12}$/)
  await call('POST', `${release}/publish`)
  await until(() => releaseState(release), is('published'))
  const latest = join(system.folder, task.name, 'release', 'public', 'latest')
  expect(readdirSync(latest)).toHaveLength(3)
})

test('the helper in plain shell says what it should, whatever the text holds', () => {
  const steps = join(system.folder, 'steps.json')
  writeFileSync(steps, JSON.stringify({ 'was done': null }))
  const script = `. ./release-task.sh
    message 'say "hi" \\ and
    go'
    progress 40 'half'; progress 41; message ''
    summary '{"a": 1}'; staged '[1]'
    step 'was done' echo again; step 'is done' echo once; step 'fails' false || echo failed
    studies; retry 'not now'`
  const env = { PATH: process.env['PATH'], STEPS_FILE: steps, STUDIES: 'SD_1,SD_2' }
  const ended = spawnSync('/bin/sh', ['-c', script], { cwd: SHELL_EXAMPLE, env, encoding: 'utf8' })
  expect({ code: ended.status, stderr: ended.stderr }).toEqual({ code: 75, stderr: 'not now\n' })
  const lines = ended.stdout.trim().split('\n')
  expect(lines.map((line) => (line.startsWith('{') ? JSON.parse(line) : line))).toEqual([
    { message: 'say "hi" \\ and\n    go' },
    { progress: 40, message: 'half' },
    { progress: 41 },
    { message: '' },
    { summary: { a: 1 } },
    { staged: [1] },
    'once',
    { step: 'is done' },
    'failed',
    'SD_1',
    'SD_2',
  ])
})

test('programs that are missing, and another error for good, fail the release with their name and last lines', async () => {
  const coordinator = await system.coordinator()
  const stage = "echo reading; echo 'KeyError: kf_id' >&2; exit 3"
  const args = ['serve', '--stage', stage, '--publish', 'true', '--name', 'wrong', '--version', '7']
  const place = ['--port', '0', '--coordinator', coordinator.url, '--data', system.folder]
  const service = await system.start([...args, ...place], { MIN_FREE_SPACE: '0' })
  const release = await issue(coordinator.url, service.url)
  await until(() => releaseState(release), is('failed'))
  const task = await taskAt(service)
  expect(task).toMatchObject({ state: 'failed', attempt: expect.any(Number), ran_version: '7' })
  expect(task.last_error.message).toMatch(
    /ended with exit code 3: reading\nKeyError: kf_id|KeyError: kf_id\nreading/,
  )
  const ended = await system.run(['serve', '--stage', 'true'])
  expect(ended).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('no program to publish. Next: npx'),
  })
})
