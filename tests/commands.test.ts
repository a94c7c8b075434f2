import { spawn, type ChildProcess } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startTestIssuer, type TestIssuer } from '@release-task/auth/testing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { aRelease } from '../packages/cli/src/people/release.fixture.ts'
import {
  call,
  checkPublished,
  releaseState,
  System,
  until,
  type Ended,
  type Side,
} from './processes.fixture.ts'

const BIN = fileURLToPath(new URL('../packages/cli/bin/release-task.js', import.meta.url))
const EFFECTS_TASK = fileURLToPath(new URL('effects.task.ts', import.meta.url))

// Each command is a process that starts, and a test types a dozen of them.
vi.setConfig({ testTimeout: 180_000 })

let system: System
/** Commands under way, which nobody else ends. */
const begun: ChildProcess[] = []
beforeEach(() => {
  system = new System()
})
afterEach(async () => {
  for (const child of begun.splice(0)) child.kill('SIGKILL')
  await system.end()
})

/** The commands of one coordinator, as somebody types them. */
function typing(coordinator: string, env: Record<string, string> = {}) {
  const run = (...args: string[]) => system.run(args, { COORDINATOR_API: coordinator, ...env })
  const good = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(...args)
    expect([code, stderr]).toEqual([0, ''])
    return stdout
  }
  const json = async (...args: string[]) => JSON.parse(await good(...args, '--json'))
  return { run, good, json }
}

const register = (url: string) => ['services', 'register', '--name', 'under test', '--url', url]
const create = (name = 'June') => ['releases', 'create', '--name', name, '--all-studies']

/** A coordinator, and a task that stays in `stage` until the gate is there. */
async function gated() {
  const coordinator = await system.coordinator()
  const gate = join(system.folder, 'gate')
  const env = { STAGE_GATE: gate, EFFECTS_FILE: join(system.folder, 'effects.jsonl') }
  const service = await system.task(coordinator.url, 0, env, EFFECTS_TASK)
  const typed = typing(coordinator.url)
  await typed.good(...register(service.url))
  const begin = async (name?: string) => {
    const id = (await typed.good(...create(name))).trim()
    await typed.good('releases', 'wait', id, '--for', 'running', '--timeout', '30s')
    return id
  }
  return { coordinator, service, gate, begin, ...typed }
}

/** A command that is under way: what it has printed so far, and how it ends. */
function begin(coordinator: string, ...args: string[]) {
  const child = spawn(process.execPath, ['--conditions=development', BIN, ...args], {
    cwd: system.folder,
    env: { PATH: process.env['PATH'] ?? '', COORDINATOR_API: coordinator, HOME: system.folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  begun.push(child)
  let out = ''
  let err = ''
  child.stdout.on('data', (piece: Buffer) => (out += piece.toString()))
  child.stderr.on('data', (piece: Buffer) => (err += piece.toString()))
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const says = (text: string) =>
    until(
      async () => `${out}${err}`,
      (seen) => seen.includes(text),
      30_000,
    )
  return { child, ended, says, out: () => out, err: () => err }
}

const errorIn = ({ stderr }: Ended) =>
  (JSON.parse(stderr) as { error: { message: string; code: string } }).error

describe('with the reference task', () => {
  test('a release from its creation to the public files, and all that can be asked about it', async () => {
    const coordinator = await system.coordinator()
    const service = await system.task(coordinator.url)
    const { good, json, run } = typing(coordinator.url)
    const serviceId = (await good(...register(service.url))).trim()
    expect(serviceId).toMatch(/^TS_\w{8}$/)
    writeFileSync(join(system.folder, 'about'), 'All of June\n')
    const more = [
      '--description',
      `@${system.folder}/about`,
      '--tag',
      'a',
      '--tag',
      'b',
      '--author',
      'ada',
      '--major',
    ]
    const id = (await good(...create(), ...more)).trim()
    expect(id).toMatch(/^RE_\w{8}$/)
    const watching = begin(coordinator.url, 'releases', 'watch', id)
    expect(await good('releases', 'wait', id, '--for', 'staged', '--timeout', '50s')).toBe(`${id} staged\n`)

    expect(await json('releases', 'show', id)).toMatchObject({
      state: 'staged',
      description: 'All of June',
      tags: ['a', 'b'],
      author: 'ada',
      is_major: true,
    })
    const study = (await json('releases', 'show', id)).studies[0]
    expect(
      (await json('releases', 'list', '--state', 'staged', '--study', study, '--name', 'jun')).count,
    ).toBe(1)
    expect(await good('releases', 'list', '--author', 'nobody')).toBe('No releases.\n')
    const task = (await json('tasks', 'list', '--release', id, '--service', serviceId)).results[0].kf_id
    expect(await good('tasks', 'show', task)).toMatch(/summary: studies 3, .*rows 100,000/)
    expect(await good('releases', 'why', id)).toMatch(
      new RegExp(
        `^${id} "June" is staged: it waits for a person to publish it, or to cancel it, since [-\\d :]+Z\\.\n$`,
      ),
    )
    const refused = await run('tasks', 'retry', task, '--json')
    expect([refused.code, refused.stdout, errorIn(refused).code]).toEqual([1, '', 'REFUSED'])

    const unasked = await run('releases', 'publish', id)
    expect([unasked.code, unasked.stdout]).toEqual([2, ''])
    expect(unasked.stderr).toContain(`Next: release-task releases publish ${id} --yes`)
    expect(await releaseState(`${coordinator.url}/releases/${id}`)).toBe('staged')
    expect(await json('releases', 'publish', id, '--yes')).toEqual({ kf_id: id, state: 'publishing' })
    expect(await json('releases', 'wait', id, '--for', 'published')).toMatchObject({
      state: 'published',
      version: '1.0.0',
      reached: true,
    })
    expect(checkPublished(system.releaseFolder)).toMatchObject({ studies: 3, rows: 100_000 })
    expect((await run('releases', 'wait', id, '--for', 'staged')).code).toBe(0)
    expect((await run('releases', 'wait', id, '--for', 'canceled')).code).toBe(1)
    expect((await run('releases', 'cancel', id, '--yes')).code).toBe(1)

    expect(await watching.ended).toBe(0)
    const [lines, err] = [watching.out().trim().split('\n'), watching.err()]
    expect(err).toBe('')
    for (const line of lines) expect(line).toMatch(/^\d\d:\d\d:\d\dZ (RE|TA)_\w{8} [ -~]+$/)
    expect(new Set(lines).size).toBe(lines.length)
    const states = lines.filter((line) => line.includes(id)).map((line) => line.split(' ')[2])
    expect(states.slice(-3)).toEqual(['staged', 'publishing', 'published'])
    expect(lines.some((line) => / TA_\w{8} under test staged: studies 3, /.test(line))).toBe(true)
  })

  test('a shell script, and every way that a wait can end', async () => {
    const { coordinator, service, gate, good } = await gated()
    const folder = join(system.folder, 'bin')
    mkdirSync(folder)
    writeFileSync(
      join(folder, 'release-task'),
      `#!/bin/sh\nexec "${process.execPath}" --conditions=development "${BIN}" "$@"\n`,
    )
    chmodSync(join(folder, 'release-task'), 0o755)
    writeFileSync(
      join(system.folder, 'script'),
      `
      is_running() { release-task releases wait "$1" --for running --timeout 30s >&2; }
      id=$(release-task releases create --name "in time?" --all-studies)
      is_running "$id"
      code=0; release-task releases wait "$id" --for staged --timeout 300ms || code=$?
      echo "timed out $code"
      release-task releases cancel "$id" --yes
      code=0; release-task releases wait "$id" --for staged --timeout 30s || code=$?
      echo "canceled $code"
      release-task releases wait "$id" --for canceled --timeout 30s

      id=$(release-task releases create --name "given up" --all-studies)
      is_running "$id"
      release-task tasks give-up "$(release-task tasks list --release "$id" | tail -n 1 | cut -d ' ' -f 1)" --yes
      code=0; release-task releases wait "$id" --for staged --timeout 30s || code=$?
      echo "failed $code"

      id=$(release-task releases create --name "to the end" --all-studies)
      touch "$GATE"
      release-task releases wait "$id" --for staged --timeout 30s
      echo "staged $?"
      release-task releases publish "$id" --yes
      release-task releases wait "$id" --for published --timeout 30s
      echo "the end $?"
      release-task releases show "RE_no"
      echo "never here"
      `,
    )
    const env = {
      PATH: `${folder}${delimiter}${process.env['PATH']}`,
      COORDINATOR_API: coordinator.url,
      GATE: gate,
    }
    const child = spawn('sh', ['-e', 'script'], {
      cwd: system.folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let [out, err] = ['', '']
    child.stdout.on('data', (piece: Buffer) => (out += piece.toString()))
    child.stderr.on('data', (piece: Buffer) => (err += piece.toString()))
    const code = await new Promise((resolve) => child.once('close', resolve))
    const told = out.split('\n').filter((line) => / \d+$/.test(line) && !line.startsWith('RE_'))
    expect([told, code, err]).toEqual([
      ['timed out 3', 'canceled 11', 'failed 10', 'staged 0', 'the end 0'],
      2,
      expect.stringContaining("'RE_no' is invalid for argument 'release'"),
    ])
    expect(out).not.toContain('never here')
    expect(err).toMatch(/Not staged within 300ms: RE_\w{8} "in time\?" is running: it waits for the service/)
    expect(err).toMatch(/"given up" is failed because of this: .*Next: release-task releases why RE_/)
    expect(await good('services', 'list')).toContain(service.url)
  })
})

describe('why', () => {
  test('of a release whose service is down, and of one whose task fails', async () => {
    const { service, begin: start, good, json } = await gated()
    const id = await start()
    expect(await good('releases', 'why', id)).toContain('    its service says: stage runs, attempt 1, since ')
    await service.kill('SIGKILL')
    const lines = (await good('releases', 'why', id)).trim().split('\n')
    expect(lines[0]).toMatch(
      new RegExp(
        `^${id} "June" is running: it waits for the service to report staged \\(1 of 1 tasks\\), since .*Z\\.$`,
      ),
    )
    expect(lines[1]).toMatch(
      /^ {2}under test \(TA_\w{8}\) is running at 0%: it waits for the service to report staged/,
    )
    expect(lines[2]).toBe(
      `    The task service at ${service.url} cannot be reached: connection refused (from here)`,
    )
    const next = (await good(...create('July'))).trim()
    const first = await until(
      async () => (await json('releases', 'why', next)).tasks[0],
      (task) => typeof task?.last_error === 'string',
      30_000,
      200,
    )
    expect(first.sentence).toMatch(/waits for the service to answer initialize, .*next try .*gives up /)
    expect(first.service.unreachable).toContain('connection refused')
    const shown = await good('releases', 'why', next)
    expect(shown).toContain(`\n    last error: `)
  })

  test('a task whose work fails: its error, another try at once, and its end', async () => {
    const coordinator = await system.coordinator()
    const service = await system.task(coordinator.url, 0, {
      DATASERVICE_URL: `http://127.0.0.1:${await freePort()}`,
    })
    const { good, run } = typing(coordinator.url)
    await good(...register(service.url))
    const id = (await good(...create())).trim()
    await until(
      () => good('releases', 'why', id),
      (said) => /its service says: stage failed \d+ times.*\n    last error: .*ECONNREFUSED/.test(said),
      30_000,
      200,
    )
    const task = (await good('tasks', 'list', '--release', id)).split('\n')[1]?.slice(0, 11) ?? ''
    // Not while an attempt is under way.
    const retried = await until(
      () => run('tasks', 'retry', task),
      ({ code }) => code === 0,
      30_000,
    )
    expect(retried.stdout).toMatch(/^TA_\w{8} is running: stage is about to run, /)
    const unasked = await run('tasks', 'give-up', task)
    expect([unasked.code, unasked.stdout]).toEqual([2, ''])
    expect(await good('tasks', 'give-up', task, '--yes')).toMatch(/^TA_\w{8} is failed/)
    const ended = await run('releases', 'watch', id, '--json')
    expect([ended.code, ended.stderr]).toEqual([10, ''])
    const changes = ended.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(changes.filter(({ kind }) => kind === 'release').at(-1)).toMatchObject({ id, state: 'failed' })
    expect(await good('releases', 'why', id)).toMatch(/"June" is failed because of this: .*\n.* is failed/)
  })
})

describe('away', () => {
  test('a coordinator that is not there is 4, and a wait says so when its time is over', async () => {
    const nowhere = `http://127.0.0.1:${await freePort()}`
    const { run } = typing(nowhere)
    for (const args of [
      ['list'],
      ['watch', 'RE_00000001'],
      ['why', 'RE_00000001'],
      ['cancel', 'RE_00000001', '--yes'],
    ]) {
      const { code, stdout, stderr } = await run('releases', ...args)
      expect([code, stdout]).toEqual([4, ''])
      expect(stderr).toBe(
        `The coordinator at ${nowhere} cannot be reached: connection refused. Next: --coordinator URL, or COORDINATOR_API\n`,
      )
    }
    const waited = await run(
      'releases',
      'wait',
      'RE_00000001',
      '--for',
      'staged',
      '--timeout',
      '1s',
      '--json',
    )
    expect([waited.code, errorIn(waited).code]).toEqual([4, 'NOT_REACHABLE'])
    expect(JSON.parse(waited.stdout)).toMatchObject({ kf_id: 'RE_00000001', state: null, reached: false })
  })

  test('wait and watch go on over a restart of the coordinator', async () => {
    const port = await freePort()
    const first = await system.coordinator(port)
    const service = await system.task(first.url)
    const { good } = typing(first.url)
    await good(...register(service.url))
    const id = (await good(...create())).trim()
    await good('releases', 'wait', id, '--for', 'staged', '--timeout', '50s')
    const waiting = begin(first.url, 'releases', 'wait', id, '--for', 'published', '--timeout', '50s')
    const watching = begin(first.url, 'releases', 'watch', id)
    await watching.says('staged')
    await first.kill('SIGKILL')
    // A request that was on its way has another reason than one that comes later.
    await Promise.all([waiting.says('; trying again'), watching.says('; trying again')])
    await system.coordinator(port)
    await good('releases', 'publish', id, '--yes')
    expect(await Promise.all([waiting.ended, watching.ended])).toEqual([0, 0])
    expect(waiting.out()).toBe(`${id} published\n`)
    expect(waiting.err().match(/trying again/g)).toHaveLength(1)
    expect(watching.out()).toMatch(/the coordinator answers again\n(.*\n)*.* published\n$/)
  })

  test('a wait makes few requests', async () => {
    let looks = 0
    const stub = createHttpServer((request, response) => {
      if (request.url?.startsWith('/events')) return void response.writeHead(404).end('{}')
      looks++
      response.end(JSON.stringify(aRelease()))
    })
    await new Promise<void>((resolve) => stub.listen(0, '127.0.0.1', resolve))
    const { run } = typing(`http://127.0.0.1:${(stub.address() as AddressInfo).port}`)
    const { code } = await run('releases', 'wait', 'RE_00000001', '--for', 'staged', '--timeout', '7s')
    stub.close()
    expect(code).toBe(3)
    expect(looks).toBeGreaterThanOrEqual(3)
    expect(looks).toBeLessThanOrEqual(5)
  })

  test('Ctrl-C ends a watch and a wait at once with 130', async () => {
    const { coordinator, begin: start } = await gated()
    const id = await start()
    const watching = begin(coordinator.url, 'releases', 'watch', id)
    // In a pipe a wait says nothing, unless the coordinator is away.
    const nowhere = `http://127.0.0.1:${await freePort()}`
    const waiting = begin(nowhere, 'releases', 'wait', id, '--for', 'staged')
    await Promise.all([watching.says('running'), waiting.says('trying again')])
    const startedAt = performance.now()
    watching.child.kill('SIGINT')
    waiting.child.kill('SIGINT')
    expect(await Promise.all([watching.ended, waiting.ended])).toEqual([130, 130])
    expect(performance.now() - startedAt).toBeLessThan(2000)
  })
})

const WRONG: readonly (readonly string[])[] = [
  ['token'],
  ['serve', '--port', 'x'],
  ['dev', '--nonsense'],
  ['new'],
  ['backup'],
  ['coordinator', '--port', '70000'],
  ['check'],
  ['check', 'task-service', 'nonsense'],
]
test.each(WRONG)('wrong usage is 2 for those that run something too: %s', async (...words) => {
  const { run } = typing('http://127.0.0.1:1')
  const { code, stdout, stderr } = await run(...words)
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toContain('--help')
})

test('wrong usage is 2, names what is wrong, and asks nobody', async () => {
  const { run } = typing('http://127.0.0.1:1')
  const wrong = async (text: string, ...args: string[]) => {
    const ended = await run(...args, '--json')
    expect([ended.code, ended.stdout, errorIn(ended).code]).toEqual([2, '', 'USAGE_INVALID'])
    expect(errorIn(ended).message).toContain(text)
  }
  const asText = await run('releases', 'show', 'RE_1')
  expect([asText.code, asText.stdout]).toEqual([2, ''])
  expect(asText.stderr).toMatch(
    /'RE_1' is invalid for argument 'release'.*\n\(--help shows how it is used\)\n$/,
  )
  await wrong("'RE_1' is invalid for argument 'release'", 'releases', 'show', 'RE_1')
  await wrong("'SD_1' is invalid", 'releases', 'create', '--name', 'x', '--study', 'SD_1')
  await wrong('--study or --all-studies', 'releases', 'create', '--name', 'x')
  await wrong("'soon' is invalid", 'releases', 'wait', 'RE_00000001', '--for', 'staged', '--timeout', 'soon')
  await wrong('It must be one of waiting,', 'releases', 'wait', 'RE_00000001', '--for', 'constructor')
  await wrong("'TA_1' is invalid for argument 'task'", 'tasks', 'retry', 'TA_1')
  await wrong("unknown command 'sow'", 'releases', 'sow')
  await wrong("'ftp://x' is invalid", 'services', 'list', '--coordinator', 'ftp://x')
  await wrong("unknown command 'relases' (Did you mean releases?)", 'relases', 'list')
  await wrong("unknown command 'giveup' (Did you mean give-up?)", 'tasks', 'giveup', 'TA_00000001')
  await wrong("unknown option '--stat' (Did you mean --state?)", 'releases', 'list', '--stat', 'failed')
  await wrong('A command is missing: list, register,', 'services')
  await wrong('A command is missing: new, dev,')
  const misspelt = await run('relases')
  expect([misspelt.code, misspelt.stdout]).toEqual([2, ''])
  expect(misspelt.stderr).toBe(
    "error: unknown command 'relases'\n(Did you mean releases?)\n(--help shows the commands; their options come after them)\n",
  )
  const settings = await system.run(['releases', 'list'], { COORDINATOR_API: 'ftp://x' })
  expect([settings.code, settings.stdout]).toEqual([2, ''])
  const help = await run('releases', 'wait', '--help')
  expect([help.code, help.stderr]).toEqual([0, ''])
  for (const text of ['RELEASE_TASK_TOKEN', '\n    3  wait: the time was over', '\n   10  '])
    expect(help.stdout).toContain(text)
})

describe('services', () => {
  test('are registered once, switched, checked and listed', async () => {
    const { service, good, json, run } = await gated()
    const [known] = (await json('services', 'list')).results
    const again = await run(...register(service.url), '--json')
    expect([again.code, errorIn(again)]).toMatchObject([1, { code: 'REFUSED' }])
    expect(errorIn(again).message).toContain('is registered already')
    expect(await good('services', 'disable', known.kf_id)).toBe(`${known.kf_id} under test is disabled\n`)
    expect(await json('services', 'enable', known.kf_id)).toMatchObject({ enabled: true })
    expect(await json('services', 'check')).toEqual({ status: 'ok' })
    expect(await good('services', 'list')).toMatch(/^ID .*\nTS_\w{8} {2}enabled {2}ok .* under test {2}http/)
    const none = await run('services', 'enable', 'TS_00000000')
    expect([none.code, none.stderr]).toEqual([
      1,
      expect.stringContaining('has no /task-services/TS_00000000'),
    ])
  })
})

describe('with tokens', () => {
  const [COORDINATOR, SERVICE] = ['release-coordinator', 'release-task-service']
  let issuer: TestIssuer
  let coordinator: Side
  let service: Side
  beforeEach(async () => {
    issuer = await startTestIssuer()
    const checking = (own: string, other: string, client: string) => ({
      AUTH: 'on',
      AUTH_READS: 'required',
      AUTH_ISSUER: issuer.issuer,
      AUTH_AUDIENCE: own,
      AUTH_CLIENT_ID: client,
      AUTH_CLIENT_SECRET: 'secret',
      AUTH_TOKEN_AUDIENCE: other,
    })
    const admin = { AUTH_ADMIN_CLIENTS: 'ci' }
    coordinator = await system.coordinator(0, { ...checking(COORDINATOR, SERVICE, 'coordinator'), ...admin })
    const effects = {
      EFFECTS_FILE: join(system.folder, 'effects.jsonl'),
      STAGE_GATE: join(system.folder, 'gate'),
    }
    const env = { ...checking(SERVICE, COORDINATOR, 'service'), ...admin, ...effects }
    service = await system.task(coordinator.url, 0, env, EFFECTS_TASK)
  })
  afterEach(() => issuer[Symbol.asyncDispose]())

  const person = (role: 'USER' | 'ADMIN', audience = COORDINATOR) =>
    issuer.token({ kind: 'user', id: 'ada', role }, audience)

  test('who may not is told so with 5, and how to get a token where there was none', async () => {
    const { run, good } = typing(coordinator.url)
    for (const args of [
      ['releases', 'list'],
      create(),
      ['releases', 'watch', 'RE_00000001'],
      ['releases', 'wait', 'RE_00000001', '--for', 'staged'],
    ]) {
      const nobody = await run(...args)
      expect([nobody.code, nobody.stdout]).toEqual([5, ''])
      expect(nobody.stderr).toMatch(/not provided.*Next: set RELEASE_TASK_TOKEN/)
    }
    const viewer = typing(coordinator.url, { RELEASE_TASK_TOKEN: await person('USER') })
    expect(await viewer.good('releases', 'list')).toBe('No releases.\n')
    const refused = await viewer.run('releases', 'publish', 'RE_00000001', '--yes', '--json')
    expect([refused.code, refused.stdout, errorIn(refused).code]).toEqual([5, '', 'NOT_PERMITTED'])
    expect(await good('releases', 'list', '--token', await person('ADMIN'))).toBe('No releases.\n')
  })

  test('a machine with client credentials does everything, at the task service too', async () => {
    const machine = typing(coordinator.url, {
      AUTH_ISSUER: issuer.issuer,
      AUTH_CLIENT_ID: 'ci',
      AUTH_CLIENT_SECRET: 'secret',
      AUTH_TOKEN_AUDIENCE: COORDINATOR,
      AUTH_AUDIENCE: SERVICE,
    })
    await machine.good(...register(service.url))
    const id = (await machine.good(...create())).trim()
    const watching = machine.run('releases', 'watch', id)
    await machine.good('releases', 'wait', id, '--for', 'running', '--timeout', '30s')
    const task = (await machine.json('tasks', 'list', '--release', id)).results[0].kf_id
    const withToken = typing(coordinator.url, { RELEASE_TASK_TOKEN: await person('ADMIN') })
    const without = await withToken.run('tasks', 'retry', task)
    expect([without.code, without.stdout]).toEqual([5, ''])
    expect(without.stderr).toContain('The task service refused')
    const allowed = await withToken.run(
      'tasks',
      'retry',
      task,
      '--service-token',
      await person('ADMIN', SERVICE),
    )
    expect(allowed.stderr).toContain('attempt 1 works on it now')
    expect(await machine.good('releases', 'why', id)).toContain('its service says: stage ')
    await machine.good('tasks', 'give-up', task, '--yes')
    expect((await watching).code).toBe(10)
  })

  test('client credentials that are refused are 5, an issuer that is away is 4', async () => {
    const machine = typing(coordinator.url, {
      AUTH_ISSUER: issuer.issuer,
      AUTH_CLIENT_ID: 'ci',
      AUTH_CLIENT_SECRET: 'secret',
      AUTH_TOKEN_AUDIENCE: COORDINATOR,
    })
    issuer.tokens('refusing')
    expect((await machine.run('releases', 'list')).code).toBe(5)
    issuer.tokens('error')
    expect((await machine.run('releases', 'list')).code).toBe(4)
  })
})

test('beside dev, its issuer gives the tokens', async () => {
  const env = { EFFECTS_FILE: join(system.folder, 'effects.jsonl'), STAGE_GATE: join(system.folder, 'gate') }
  const ports = ['--coordinator-port', '0', '--issuer-port', '0', '--task-port', '0']
  const running = system.run(['dev', EFFECTS_TASK, '--data', '.data', '--once', ...ports], env)
  const note = join(system.folder, '.data', 'issuer', 'issuer.json')
  const { coordinator: url } = await until(
    async () => JSON.parse(readFileSync(note, 'utf8')) as { coordinator: string },
    (seen) => seen.coordinator !== '',
  )
  await until(
    async () => (await call('GET', `${url}/tasks?state=running`)).body.count,
    (count) => count === 1,
  )
  const { good, run } = typing(url)
  const id = (await good(...create('by hand'))).trim()
  expect(await good('releases', 'show', id)).toContain('by dev-dev,')
  const task = (await good('tasks', 'list', '--state', 'running')).split('\n')[1]?.slice(0, 11) ?? ''
  expect((await run('tasks', 'retry', task)).stderr).toContain('attempt 1 works on it now')
  await good('releases', 'cancel', id, '--yes')
  expect((await run('releases', 'wait', id, '--for', 'published', '--timeout', '30s')).code).toBe(11)
  expect((await run('releases', 'cancel', id, '--yes', '--data', 'nowhere')).code).toBe(5)
  writeFileSync(env.STAGE_GATE, '')
  expect((await running).code).toBe(0)
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
