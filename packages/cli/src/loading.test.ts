import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const BIN = fileURLToPath(new URL('../bin/release-task.js', import.meta.url))
const NOWHERE = 'http://127.0.0.1:1'

/** Writes down what is loaded, by whichever way. */
const HOOK = `data:text/javascript,${encodeURIComponent(`
  import { appendFileSync } from 'node:fs'
  import { registerHooks } from 'node:module'
  registerHooks({
    load(url, context, next) {
      appendFileSync(process.env.LOADED_FILE, url + '\\n')
      return next(url, context)
    },
  })
`)}`

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'loading-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** What a command loads: packages of others by their names, our own by their names and files. */
async function loadedBy(args: readonly string[], env: Record<string, string> = {}) {
  const file = join(folder, 'loaded')
  const child = spawn(process.execPath, ['--conditions=development', '--import', HOOK, BIN, ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', LOADED_FILE: file, COORDINATOR_API: NOWHERE, ...env },
    stdio: 'ignore',
  })
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  const urls = readFileSync(file, 'utf8').trim().split('\n')
  const found = (form: RegExp) => [...new Set(urls.flatMap((url) => form.exec(url)?.[1] ?? []))].sort()
  return {
    code,
    foreign: found(/\/node_modules\/((?:@[^/]+\/)?[^/]+)\//),
    own: found(/\/packages\/([^/]+\/src\/.*)$/),
  }
}

const ID = 'RE_00000001'
const TASK = 'TA_00000001'
const PEOPLE: readonly (readonly string[])[] = [
  ['releases', 'list'],
  ['releases', 'create', '--name', 'x', '--all-studies'],
  ['releases', 'watch', ID],
  ['releases', 'wait', ID, '--for', 'staged', '--timeout', '0s'],
  ['releases', 'publish', ID, '--yes'],
  ['releases', 'why', ID],
  ['tasks', 'list', '--token', 'given'],
  ['tasks', 'retry', TASK, '--service-token', 'given'],
  ['services', 'list', '--json'],
]

describe('the commands for people', () => {
  test.each(PEOPLE.map((args) => ({ typed: args.join(' '), args })))(
    '$typed loads what it needs, and neither side',
    async ({ args }) => {
      const { code, foreign, own } = await loadedBy(args)
      expect([code, foreign]).toEqual([4, ['commander', 'zod']])
      const heavy =
        /^(auth|coordinator|database|queue|task-service)\/|^http\/src\/(index|app)\.|dev\/(dev|local-issuer)\./
      expect(own.filter((file) => heavy.test(file))).toEqual([])
      expect(own).toContain('http/src/client.ts')
    },
  )

  test('what gets a token by client credentials is loaded where it is asked for one', async () => {
    const env = {
      AUTH_CLIENT_ID: 'ci',
      AUTH_CLIENT_SECRET: 'secret',
      AUTH_TOKEN_AUDIENCE: 'coordinator',
      AUTH_ISSUER: NOWHERE,
    }
    const { code, own } = await loadedBy(['releases', 'list'], env)
    expect([code, own.includes('auth/src/client-credentials.ts')]).toEqual([4, true])
  })
})

test.each([
  '--help',
  '--version',
  'new --help',
  'dev --help',
  'token --help',
  'backup --help',
  'relases list',
])('%s loads no more than the options', async (typed) => {
  const { foreign, own } = await loadedBy(typed.split(' '))
  expect(foreign).toEqual(['commander'])
  expect(own.filter((file) => !file.startsWith('cli/'))).toEqual([])
})
