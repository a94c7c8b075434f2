import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from '@release-task/http'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readConfig } from './config.ts'
import { serve } from './serve.ts'

let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'coordinator-serve-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const configOf = (env: Record<string, string> = {}) =>
  readConfig({ PORT: '0', LOG_LEVEL: 'silent', DATABASE_URL: `sqlite:${join(folder, 'state.db')}`, ...env })

test('listens, keeps its state when it ends, and does not answer any more', async () => {
  const first = await serve(configOf())
  const answer = await request(`${first.url}/releases`, {
    method: 'POST',
    body: { name: 'spring', studies: ['SD_BHJXBDQK'] },
    timeoutMs: 5000,
  })
  expect(answer.status).toBe(201)
  await first.close()
  await expect(request(`${first.url}/`, { timeoutMs: 5000 })).rejects.toMatchObject({ mayHaveArrived: false })
  const second = await serve(configOf())
  expect((await request(`${second.url}/releases`, { timeoutMs: 5000 })).json).toMatchObject({ count: 1 })
  await second.close()
})

test('a file of studies that is wrong shows at once, and leaves the database free', async () => {
  const file = join(folder, 'studies.json')
  writeFileSync(file, '{}')
  await expect(serve(configOf({ STUDIES_FILE: file }))).rejects.toMatchObject({
    code: 'STUDIES_FILE_INVALID',
  })
  await (await serve(configOf())).close()
})

test('an address that others reach needs AUTH=on, or AUTH=off and AUTH_OFF_PUBLIC=yes', () => {
  for (const env of [{}, { AUTH: 'off' }, { AUTH_OFF_PUBLIC: 'yes' }])
    expect(() => configOf({ HOST: '0.0.0.0', ...env })).toThrow(
      'HOST=0.0.0.0 is reachable from other machines',
    )
  expect(configOf({ HOST: '0.0.0.0', AUTH: 'off', AUTH_OFF_PUBLIC: 'yes' }).host).toBe('0.0.0.0')
})

test('two coordinators do not share one database', async () => {
  const first = await serve(configOf())
  await expect(serve(configOf())).rejects.toMatchObject({ code: 'DATABASE_IN_USE' })
  await first.close()
})

test('a Data Service that is away does not keep it from starting', async () => {
  const served = await serve(configOf({ DATASERVICE_URL: 'http://127.0.0.1:9' }))
  const sync = await request(`${served.url}/studies/sync`, { method: 'POST', timeoutMs: 5000 })
  expect([sync.status, sync.json]).toMatchObject([502, { status: 'error' }])
  await served.close()
})
