import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RELEASE, startFixture, TASK, type Fixture } from './service.fixture.ts'

let fixture: Fixture

// Nothing below may change anything but the few tasks of "the list", so one service serves all.
beforeAll(async () => {
  fixture = await startFixture()
})
afterAll(() => fixture.close())

const BODY = { action: 'initialize', task_id: TASK, release_id: RELEASE }

async function send(
  payload: string | Buffer,
  headers: Record<string, string> = { 'content-type': 'application/json' },
) {
  const response = await fixture.service.app.inject({ method: 'POST', url: '/tasks', payload, headers })
  return { code: response.statusCode, body: response.json() }
}

const get = async (url: string) => {
  const response = await fixture.service.app.inject({ method: 'GET', url })
  return { code: response.statusCode, body: response.json() }
}

const nothingStored = async () => expect((await get('/tasks')).body).toEqual({ count: 0, results: [] })

describe('bad requests are 400, change nothing and name the field (SV-13, SV-14)', () => {
  test.each([
    [{ ...BODY, action: 'fly' }, '"action"'],
    [{ ...BODY, action: 'toString' }, '"action"'],
    [{ ...BODY, action: '__proto__' }, '"action"'],
    [{ ...BODY, action: ['initialize'] }, '"action"'],
    [{ ...BODY, action: { toString: 'initialize' } }, '"action"'],
    [{ ...BODY, task_id: 'TA_1' }, '"task_id"'],
    [{ ...BODY, task_id: 'RE_00000001' }, '"task_id"'],
    [{ ...BODY, task_id: 12_345_678_901 }, '"task_id"'],
    [{ ...BODY, task_id: null }, '"task_id"'],
    [{ ...BODY, release_id: undefined }, '"release_id"'],
    [{ ...BODY, release_id: true }, '"release_id"'],
    [{ ...BODY, studies: 5 }, '"studies"'],
    [{ ...BODY, studies: [5] }, '"studies.0"'],
    [{ ...BODY, studies: ['SD_00000001', 'TA_00000001'] }, '"studies.1"'],
    [{ ...BODY, studies: { length: 1, 0: 'SD_00000001' } }, '"studies"'],
    [[BODY], 'body'],
    [null, 'body'],
    ['initialize', 'body'],
    [12, 'body'],
  ])('%j', async (body, field) => {
    const answer = await send(JSON.stringify(body))
    expect(answer).toEqual({
      code: 400,
      body: { code: 'INPUT_INVALID', message: expect.stringContaining(field) },
    })
    await nothingStored()
  })

  const deep = 100_000
  test.each([
    ['malformed JSON', '{"action":', 'application/json'],
    ['no body', '', 'application/json'],
    ['deeply nested', `{"action":${'['.repeat(deep)}${']'.repeat(deep)}}`, 'application/json'],
    ['deeply nested and cut off', '['.repeat(deep), 'application/json'],
    ['numbers beyond all measure', '{"action":1e999,"task_id":-1e999,"release_id":1}', 'application/json'],
    ['a prototype in place of the fields', `{"__proto__":${JSON.stringify(BODY)}}`, 'application/json'],
    ['UTF-16', Buffer.from(JSON.stringify(BODY), 'utf16le'), 'application/json; charset=utf-16'],
    ['not UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), 'application/json'],
    ['another type', JSON.stringify(BODY), 'text/plain'],
    ['a form', 'action=initialize', 'application/x-www-form-urlencoded'],
    ['a type that is none', JSON.stringify(BODY), ';;;'],
  ])('%s', async (_, payload, type) => {
    const answer = await send(payload, { 'content-type': type })
    expect(answer).toEqual({ code: 400, body: { code: 'INPUT_INVALID', message: expect.any(String) } })
    await nothingStored()
  })

  test('a body that is too large is refused before it is read', async () => {
    const answer = await send(JSON.stringify({ ...BODY, pad: 'x'.repeat(1_100_000) }))
    expect(answer).toMatchObject({ code: 413, body: { code: 'INPUT_INVALID' } })
    await nothingStored()
  })

  test.each([
    ['/tasks?limit=0', '"limit"'],
    ['/tasks?limit=1001', '"limit"'],
    ['/tasks?limit=1.5', '"limit"'],
    ['/tasks?limit=1e400', '"limit"'],
    ['/tasks?offset=-1', '"offset"'],
    ['/tasks?offset=99999999999999999999', '"offset"'],
    ['/tasks?state=waiting', '"state"'],
    ['/tasks?state=__proto__', '"state"'],
    ['/tasks?state=staged&state=failed', '"state"'],
    ['/tasks?state=%E0%A4%A', '"state"'],
    ['/tasks?release_id=RE_1', '"release_id"'],
    [`/tasks/${TASK}/events?after=-1`, '"after"'],
    [`/tasks/${TASK}/events?after=x`, '"after"'],
  ])('GET %s', async (url, field) => {
    expect(await get(url)).toEqual({
      code: 400,
      body: { code: 'INPUT_INVALID', message: expect.stringContaining(field) },
    })
  })

  test.each(['/tasks/%E0%A4%A', '/tasks/%', '/%', '/tasks/%ZZ/events'])(
    'GET %s, which is no URL',
    async (url) => {
      expect((await get(url)).code).toBe(400)
    },
  )

  test('whatever the body, it is never an error of ours', async () => {
    const value = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom(
        'initialize',
        'start',
        TASK,
        RELEASE,
        'TA_\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000',
        'RE_\ud800bcdefgh',
      ),
    )
    const body = fc.record(
      { action: value, task_id: value, release_id: value, studies: value },
      { requiredKeys: [] },
    )
    const property = fc.asyncProperty(fc.oneof(body, fc.jsonValue()), async (json) => {
      const { code, body: answer } = await send(JSON.stringify(json))
      expect(code).toBeLessThan(500)
      if (code !== 200) expect(answer).toEqual({ message: expect.any(String), code: expect.any(String) })
    })
    await fc.assert(property, { numRuns: 500 })
  })
})

describe('paths', () => {
  test.each([
    ['GET', '/nothing', 404, 'PATH_NOT_FOUND'],
    ['POST', '/nothing', 404, 'PATH_NOT_FOUND'],
    ['GET', '/TASKS', 404, 'PATH_NOT_FOUND'],
    ['DELETE', '/tasks', 405, 'METHOD_NOT_ALLOWED'],
    ['PUT', '/tasks', 405, 'METHOD_NOT_ALLOWED'],
    ['PATCH', `/tasks/${TASK}`, 405, 'METHOD_NOT_ALLOWED'],
    ['GET', `/tasks/${TASK}/retry`, 405, 'METHOD_NOT_ALLOWED'],
    ['POST', `/tasks/${TASK}/events`, 405, 'METHOD_NOT_ALLOWED'],
    ['POST', '/status', 405, 'METHOD_NOT_ALLOWED'],
    ['GET', '/tasks/TA_99999999', 404, 'TASK_NOT_FOUND'],
    ['GET', '/tasks/TA_99999999/events', 404, 'TASK_NOT_FOUND'],
    ['POST', '/tasks/TA_99999999/retry', 404, 'TASK_NOT_FOUND'],
    ['POST', '/tasks/TA_99999999/give-up', 404, 'TASK_NOT_FOUND'],
    ['GET', '/tasks/__proto__', 404, 'TASK_NOT_FOUND'],
    ['GET', '/tasks/TA_%2F..%2F..%2F', 404, 'TASK_NOT_FOUND'],
    ['GET', '/tasks/TA_%00%00%00%00%00%00%00%00', 404, 'TASK_NOT_FOUND'],
  ] as const)('%s %s → %i %s', async (method, url, code, name) => {
    const response = await fixture.service.app.inject({ method, url })
    expect([response.statusCode, response.json()]).toEqual([
      code,
      { message: expect.any(String), code: name },
    ])
  })

  test('an id that is far too long is not found, or no URL; the method is not what is wrong', async () => {
    expect([400, 404, 414]).toContain((await get(`/tasks/${'a'.repeat(3000)}`)).code)
  })

  test('duplicate slashes count as one (SV-5)', async () => {
    expect((await get('//status')).body).toEqual({ name: 'fixture', message: 'ready', version: '1.0.0' })
    const response = await fixture.service.app.inject({
      method: 'POST',
      url: '//tasks',
      payload: { ...BODY, action: 'start', task_id: 'TA_77777777' },
    })
    expect([response.statusCode, response.json().code]).toEqual([404, 'TASK_NOT_FOUND'])
  })
})

describe('the list', () => {
  const ids = (body: any) => body.results.map((task: any) => task.task_id)

  test('shows tasks newest first, by state and release, in pages; never a tombstone', async () => {
    for (const [task_id, release_id] of [
      ['TA_10000001', 'RE_10000001'],
      ['TA_10000002', 'RE_10000002'],
    ])
      await fixture.act('initialize', {
        task_id: task_id!,
        release_id: release_id!,
        studies: ['SD_00000001'],
      })
    await fixture.act('cancel', { task_id: 'TA_10000002', release_id: 'RE_10000002' })
    await fixture.act('cancel', { task_id: 'TA_10000003', release_id: 'RE_10000001' })
    expect(ids((await get('/tasks?release_id=RE_10000001')).body)).toEqual(['TA_10000001'])
    expect(ids((await get('/tasks?state=canceled')).body)).toEqual(['TA_10000002'])
    expect((await get('/tasks?release_id=RE_10000001&limit=1&offset=1')).body).toEqual({
      count: 1,
      results: [],
    })
    expect((await get('/tasks/TA_10000001')).body).toMatchObject({
      task_id: 'TA_10000001',
      kf_id: 'TA_10000001',
      state: 'pending',
      progress: 0,
      studies: ['SD_00000001'],
      waiting_for: { whom: 'action', next_try: null, gives_up_at: null, attempt: null, last_error: null },
      cleanup: 'none',
    })
  })

  test('HEAD of the events is no stream', async () => {
    const response = await fixture.service.app.inject({
      method: 'HEAD',
      url: '/tasks/TA_10000001/events',
      headers: { accept: 'text/event-stream' },
    })
    expect([response.statusCode, response.body]).toEqual([200, ''])
  })

  test('events after a position', async () => {
    const { results } = (await get('/tasks/TA_10000002/events')).body
    expect(results.map((event: any) => event.type)).toEqual(['initialized', 'canceled'])
    const after = (await get(`/tasks/TA_10000002/events?after=${results[0].id}`)).body.results
    expect(after).toEqual(results.slice(1))
  })
})

describe('about the service', () => {
  test('/livez, /readyz and /status are open and short (SV-1, SV-20)', async () => {
    expect(await get('/livez')).toEqual({ code: 200, body: { status: 'ok' } })
    expect(await get('/readyz')).toEqual({ code: 200, body: { status: 'ok', queue: 'ok' } })
    expect(await get('/status')).toEqual({
      code: 200,
      body: { name: 'fixture', message: 'ready', version: '1.0.0' },
    })
  })

  test('/metrics counts the tasks by state', async () => {
    const response = await fixture.service.app.inject('/metrics')
    expect(response.statusCode).toBe(200)
    expect(response.headers['content-type']).toMatch(/^text\/plain/)
    for (const line of [
      'release_task_tasks{state="canceled"} 1',
      'release_task_reports_waiting 0',
      'release_task_oldest_report_seconds 0',
      'release_task_late_reports_total 0',
      'process_cpu_seconds_total',
    ])
      expect(response.body).toContain(line)
  })

  test('/openapi.json is OpenAPI 3.1 and holds every route with its answers', async () => {
    const { body } = await get('/openapi.json')
    expect(body.openapi).toMatch(/^3\.1\.\d+$/)
    expect(body.info).toEqual({ title: 'fixture', version: '1.0.0' })
    const operations = Object.entries<any>(body.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    expect(operations.toSorted()).toEqual(
      [
        'GET /livez',
        'GET /readyz',
        'GET /status',
        'GET /tasks',
        'GET /tasks/{id}',
        'GET /tasks/{id}/events',
        'POST /tasks',
        'POST /tasks/{id}/give-up',
        'POST /tasks/{id}/retry',
      ].toSorted(),
    )
    for (const operation of Object.values<any>(body.paths).flatMap((methods) => Object.values<any>(methods)))
      checkOperation(operation)
    const action = body.paths['/tasks'].post
    expect(Object.keys(action.responses).toSorted()).toEqual(['200', '400', '404', '503'])
    expect(action.requestBody.content['application/json'].schema).toMatchObject({
      type: 'object',
      required: ['action', 'task_id', 'release_id'],
    })
  })

  /** What OpenAPI 3.1 asks of an operation, and that no reference leads nowhere. */
  function checkOperation(operation: any): void {
    expect(Object.keys(operation.responses).length).toBeGreaterThan(0)
    for (const [code, response] of Object.entries<any>(operation.responses)) {
      expect(code).toMatch(/^[1-5]\d\d$/)
      expect(response.description).toEqual(expect.any(String))
      expect(response.content['application/json'].schema).toMatchObject({ type: 'object' })
    }
    for (const parameter of operation.parameters ?? []) {
      expect(parameter).toMatchObject({ name: expect.any(String), schema: expect.any(Object) })
      expect(['query', 'path']).toContain(parameter.in)
      if (parameter.in === 'path') expect(parameter.required).toBe(true)
    }
    expect(JSON.stringify(operation)).not.toContain('"$ref"')
  }
})

test('with the database closed nothing is ready, and nothing is promised: 503 (SV-1, SV-13)', async () => {
  const closing = await startFixture()
  await closing.act('initialize', { studies: [] })
  await closing.database.close()
  for (const path of ['/readyz', '/status'])
    expect(await closing.get(path)).toMatchObject({ code: 503, body: { code: 'STORE_UNAVAILABLE' } })
  expect((await closing.get('/livez')).code).toBe(200)
  for (const action of ['start', 'cancel'])
    expect(await closing.act(action)).toMatchObject({ code: 503, body: { code: 'STORE_UNAVAILABLE' } })
  expect(await closing.get(`/tasks/${TASK}`)).toMatchObject({ code: 503 })
  await closing.close()
})
