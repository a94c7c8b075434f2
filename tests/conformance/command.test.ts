import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { COORDINATOR_TOPICS, TASK_SERVICE_TOPICS } from '@release-task/conformance'
import { expect, onTestFinished, test } from 'vitest'
import { FlawedService, type Flaw } from './flawed-service.fixture.ts'

const BIN = fileURLToPath(new URL('../../packages/cli/bin/release-task.js', import.meta.url))

interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

function check(...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--conditions=development', BIN, 'check', ...args], (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    )
  })
}

async function open(...flaws: readonly Flaw[]): Promise<string> {
  const service = new FlawedService(flaws)
  onTestFinished(() => service.close())
  return await service.start()
}

test('a service that keeps it: exit code 0, and each topic in a line', async () => {
  const { code, out, err } = await check('task-service', await open(), '--no-listen')
  expect(err).toBe('')
  expect(out).toContain('✓ a task that is published: 7 kept\n')
  expect(out).toContain(
    '    not checked, WK-5: staged is reported to the coordinator\n      because: nobody stands in for the coordinator\n',
  )
  expect(out).toMatch(/\nThe task service follows the contract: \d+ claims kept, 0 broken that must be kept/)
  expect(code).toBe(0)
})

test('what is broken is said with what was seen, and decides the exit code; --strict also counts the lesser', async () => {
  const must = await check(
    'task-service',
    await open('start again is refused'),
    '--no-listen',
    '--only',
    'told again',
  )
  expect(must.out).toContain(
    '    must TS-6: start of a task that is running is answered 200 running\n      seen: 400 {"message":"already started","code":"REFUSED"}\n',
  )
  expect(must.code).toBe(1)
  const lesser = [await open('status without a message'), '--no-listen', '--only', 'GET /status'] as const
  expect((await check('task-service', ...lesser)).code).toBe(0)
  expect((await check('task-service', ...lesser, '--strict')).code).toBe(1)
})

test('as JSON: every finding, and nothing else', async () => {
  const url = await open('answers lack fields')
  const { out, code } = await check('task-service', url, '--no-listen', '--json', '--only', 'a path')
  const said = JSON.parse(out) as { conforming: boolean; findings: { rule: string; outcome: string }[] }
  expect(said).toMatchObject({ side: 'task service', url, strict: false, conforming: true })
  expect(said.findings.filter(({ outcome }) => outcome === 'broken').map(({ rule }) => rule)).toEqual([
    'SV-11',
  ])
  expect(code).toBe(0)
})

test('who is not there, and whose place is taken, is said in one line', async () => {
  const away = await check('task-service', 'http://127.0.0.1:9', '--no-listen', '--json')
  expect(JSON.parse(away.err)).toMatchObject({ error: { code: 'NOT_REACHABLE' } })
  expect(away.code).toBe(4)
  const url = await open()
  const taken = await check('task-service', url, '--listen', new URL(url).port)
  expect(taken.err).toContain('nobody can stand in for it there. Next: --listen with another port')
  expect(taken.code).toBe(2)
  const nobody = await check('coordinator', 'http://127.0.0.1:9', '--json')
  expect(JSON.parse(nobody.err)).toMatchObject({ error: { code: 'NOT_REACHABLE' } })
  expect(nobody.code).toBe(4)
  const other = await check('coordinator', url)
  expect(other.err).toContain(`What answers at ${url} is no release coordinator`)
  expect(other.code).toBe(1)
})

test('docs/conformance.md names every topic', () => {
  const page = readFileSync(new URL('../../docs/conformance.md', import.meta.url), 'utf8')
  for (const topic of [...TASK_SERVICE_TOPICS, ...COORDINATOR_TOPICS])
    expect(page).toContain(`\n- ${topic}\n`)
})
