// The packages as they are published, in a folder outside of this workspace: what an author meets first.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort } from '@release-task/test-servers'
import { until } from './processes.fixture.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const SCRIPTS = join(ROOT, 'scripts')
const MINUTES = 60_000

let folder: string
const packed = () => readdirSync(join(folder, 'packed')).map((name) => join(folder, 'packed', name))

interface Ended {
  readonly code: number | null
  readonly output: string
}

/** Runs a program as somebody does who has Node and npm, and nothing of this repository. */
async function run(cwd: string, program: string, args: readonly string[], env: object = {}): Promise<Ended> {
  const own = [dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(delimiter)
  // How npm reaches its registry is this machine's business; what the test runner set is not.
  const { NODE_OPTIONS: _, NODE_ENV: __, VITEST: ___, ...machine } = process.env
  const all = { ...machine, PATH: own, NO_COLOR: '1', AUTH: 'off', ...env }
  const child = spawn(program, args, { cwd, env: all, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, output }
}

async function good(cwd: string, program: string, ...args: string[]): Promise<string> {
  const { code, output } = await run(cwd, program, args)
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}:\n${output}`)
  return output
}

const install = (cwd: string) =>
  good(cwd, 'npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', ...packed())

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'packed-'))
  const script = (name: string, ...args: string[]) =>
    good(ROOT, process.execPath, '--conditions=development', join(SCRIPTS, name), ...args)
  await script('build.ts')
  await script('pack.ts', join(folder, 'packed'))
  writeFileSync(join(folder, 'package.json'), '{"private":true}')
  await install(folder)
}, 5 * MINUTES)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function reachesPublished(project: string): Promise<void> {
  const ports = await Promise.all([freePort(), freePort(), freePort()])
  const flags = ['--coordinator-port', '--issuer-port', '--task-port'].flatMap((flag, index) => [
    flag,
    String(ports[index]),
  ])
  const output = await good(project, 'npm', 'start', '--silent', '--', '--once', ...flags)
  const last = JSON.parse(output.trim().split('\n').at(-1) ?? '')
  expect(last).toMatchObject({ state: 'published', version: '0.1.0' })
}

test.each(['ts', 'python', 'shell'])(
  'a new project in %s, unchanged: its tests pass, and its release is published',
  async (language) => {
    const name = `my-${language}`
    const told = await good(folder, 'npx', 'release-task', 'new', name, '--lang', language)
    expect(told).toContain(`cd ${name}`)
    const project = join(folder, name)
    // The others find the packages of the folder above, as npm looks for them.
    if (language === 'ts') await install(project)
    expect(await good(project, 'npm', 'test')).toMatch(/pass [1-9]\d*\n.*fail 0/)
    await reachesPublished(project)
  },
  3 * MINUTES,
)

test(
  'the page comes along with the coordinator',
  async () => {
    const port = await freePort()
    const child = spawn('npx', ['release-task', 'coordinator', '--port', String(port), '--data', folder], {
      cwd: folder,
      env: { ...process.env, NODE_OPTIONS: '', AUTH: 'off' },
      stdio: 'ignore',
      detached: true,
    })
    try {
      const address = `http://127.0.0.1:${port}/releases`
      const ask = (url: string | URL) => fetch(url, { headers: { accept: 'text/html' } })
      const shown = async () => (await ask(address).catch(() => null))?.text()
      const html = await until(shown, (text) => text !== undefined, MINUTES)
      const [, script = 'none'] = /src="([\w./-]+\.js)"/.exec(html ?? '') ?? []
      expect((await ask(new URL(script, address))).headers.get('content-type')).toContain('text/javascript')
    } finally {
      process.kill(-(child.pid ?? 0), 'SIGTERM')
      await once(child, 'close')
    }
  },
  MINUTES,
)

test(
  'types come along: a task that is wrong does not compile, one that is right does',
  async () => {
    const project = join(folder, 'typed')
    mkdirSync(project)
    const settings = {
      strict: true,
      module: 'nodenext',
      target: 'es2024',
      noEmit: true,
      lib: ['es2024', 'esnext.disposable'],
      // Of their own, as every project that has @types/node.
      types: ['node'],
      typeRoots: [join(ROOT, 'node_modules/@types')],
      skipLibCheck: true,
    }
    writeFileSync(join(project, 'package.json'), '{"type":"module"}')
    const compile = async (stage: string) => {
      const text = `import { defineTask } from 'release-task'\nexport default defineTask({ name: 'a', version: '1', ${stage}, publish() {} })\n`
      writeFileSync(join(project, 'task.ts'), text)
      writeFileSync(
        join(project, 'tsconfig.json'),
        JSON.stringify({ compilerOptions: settings, files: ['task.ts'] }),
      )
      return run(project, process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', '.'])
    }
    expect(await compile('async stage(task) { task.progress(50); return { summary: { rows: 1 } } }')).toEqual(
      { code: 0, output: '' },
    )
    const wrong = await compile("async stage(task) { task.progress('half') }")
    expect(wrong.code).not.toBe(0)
    expect(wrong.output).toContain(
      "Argument of type 'string' is not assignable to parameter of type 'number'",
    )
  },
  MINUTES,
)
