import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { spawn } from 'node:child_process'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { REFERENCE_TASK, System, until } from './processes.fixture.ts'

const BIN = fileURLToPath(new URL('../packages/cli/bin/release-task.js', import.meta.url))
const VITE = fileURLToPath(new URL('../node_modules/vite', import.meta.url))
const BROWSER = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }

let system: System
let sources: string

beforeEach(() => {
  system = new System()
  sources = join(system.folder, 'page')
  mkdirSync(join(sources, 'node_modules'), { recursive: true })
  symlinkSync(VITE, join(sources, 'node_modules/vite'))
  writeFileSync(join(sources, 'package.json'), '{"name":"page","type":"module"}')
  writeFileSync(
    join(sources, 'index.html'),
    '<p nonce="__NONCE__"></p><script type="module" src="/main.js"></script>',
  )
  writeFileSync(join(sources, 'main.js'), 'console.log("the page")')
})
afterEach(() => system.end())

const flags = ['--data', 'data', '--coordinator-port', '0', '--issuer-port', '0', '--task-port', '0']

/** `release-task dev` until it is told to stop. */
function dev(folder: string) {
  const child = spawn(
    process.execPath,
    ['--conditions=development', BIN, 'dev', REFERENCE_TASK, ...flags, '--dashboard', folder],
    { cwd: system.folder, env: { PATH: process.env['PATH'] ?? '', HOME: system.folder } },
  )
  let printed = ''
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const line = async (pattern: RegExp) =>
    pattern.exec(
      await until(
        async () => printed,
        (text) => pattern.test(text),
      ),
    )?.[1] ?? ''
  return { line, stop: () => child.kill('SIGTERM') && ended, [Symbol.dispose]: () => child.kill('SIGKILL') }
}

test('dev builds the page beside the release; it signs in as whom it likes, and writes (CR-45, CR-48, CR-49)', async () => {
  using running = dev(sources)
  const url = await running.line(/^dashboard (http:\S+)$/m)
  const page = await fetch(`${url}/releases`, { headers: BROWSER })
  expect([page.status, page.headers.get('vary')]).toEqual([200, 'Accept'])
  const html = await page.text()
  const script = /src="(\/assets\/[\w-]+\.js)"/.exec(html)?.[1] ?? ''
  expect(await (await fetch(`${url}${script}`)).text()).toContain('the page')

  const { auth, ways } = (await (await fetch(`${url}/sign-in`)).json()) as any
  expect([auth, ways[0].kind]).toEqual(['on', 'local'])
  expect(page.headers.get('content-security-policy')).toContain(
    `connect-src 'self' ${new URL(ways[0].token_url).origin};`,
  )
  const asked = await fetch(ways[0].token_url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: new URL(url).origin },
    body: JSON.stringify({ grant_type: 'client_credentials', role: 'developer' }),
  })
  expect(asked.headers.get('access-control-allow-origin')).toBe(new URL(url).origin)
  const { access_token: token } = (await asked.json()) as any
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const me = (await (await fetch(`${url}/me`, { headers })).json()) as any
  expect(me).toMatchObject({ subject: 'dev-dev', roles: ['developer'] })
  expect(me.permissions).toContain('release.create')
  const { results } = (await (await fetch(`${url}/studies`)).json()) as any
  const body = JSON.stringify({ name: 'by the page', studies: [results[0].kf_id] })
  expect((await fetch(`${url}/releases`, { method: 'POST', headers, body })).status).toBe(201)

  expect(await running.stop()).toBe(0)
  expect(readdirSync(join(sources, 'node_modules'))).toEqual(['vite'])
})

test('a page that cannot be built is a warning with its reason, and the release goes on without it', async () => {
  writeFileSync(join(sources, 'main.js'), 'import "./nowhere.js"')
  using running = dev(sources)
  expect(await running.line(/^warning: the dashboard could not be built: (.*)$/m)).toMatch(
    /nowhere\.js.*; the release system runs without it$/,
  )
  const url = await running.line(/^coordinator (http:\S+) pid/m)
  expect((await fetch(url, { headers: BROWSER })).headers.get('content-type')).toContain('application/json')
  expect(await running.line(/(published)/i)).not.toBe('')
  expect(await running.stop()).toBe(0)
})
