import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { studiesFromFile } from '../study-sync.ts'
import { STUDY } from '../coordinator.fixture.ts'
import { AuthFixture, bearer, CALLERS, OWN, type CallerName } from './auth.fixture.ts'

const SAMPLES = new URL('../../samples/studies.json', import.meta.url)

let fixture: AuthFixture

beforeEach(async () => {
  fixture = await AuthFixture.start()
})
afterEach(() => fixture.close())

const call: AuthFixture['coordinator']['call'] = (...request) => fixture.coordinator.call(...request)
const as = (caller: CallerName) => fixture.headersOf(caller)

async function trail(query = ''): Promise<any[]> {
  const { code, body } = await call('GET', `/audit?limit=1000${query}`)
  expect(code).toBe(200)
  return body.results
}

/** What a piece of work leaves in the trail, the oldest first, without what differs from run to run. */
async function leaves(work: () => Promise<unknown>): Promise<unknown[]> {
  const before = (await trail()).length
  await work()
  const rows = (await trail()).slice(0, -before || undefined).toReversed()
  return rows.map(({ actor, action, subject, detail }) => ({ actor, action, subject, detail }))
}

describe('each change leaves one row: who, what, on which, with which body', () => {
  test('create, edit, publish and cancel of a release', async () => {
    let id = ''
    const body = { name: 'spring', studies: [STUDY], tags: ['a'] }
    const fields = { ...body, description: '', author: 'Dora', is_major: false }
    const created = await leaves(async () => {
      id = (await call('POST', '/releases', body, await as('DEV'))).body.kf_id
    })
    expect(created).toEqual([
      {
        actor: 'user:u-dev',
        action: 'release.create',
        subject: id,
        detail: { method: 'POST', body: fields },
      },
    ])
    await fixture.coordinator.reaches(id, 'staged')
    expect(await leaves(() => call('PATCH', `/releases/${id}`, { description: 'new' }))).toEqual([
      {
        actor: 'user:u-admin',
        action: 'release.edit',
        subject: id,
        detail: { method: 'PATCH', body: { description: 'new' } },
      },
    ])
    expect(
      await leaves(async () => call('POST', `/releases/${id}/publish`, {}, await as('admin machine'))),
    ).toEqual([
      { actor: 'machine:operator', action: 'release.publish', subject: id, detail: { method: 'POST' } },
    ])
    const other = await fixture.coordinator.issue()
    expect(await leaves(() => call('DELETE', `/releases/${other}`))).toEqual([
      { actor: 'user:u-admin', action: 'release.cancel', subject: other, detail: { method: 'DELETE' } },
    ])
  })

  test('create, edit and delete of a task service', async () => {
    const { url } = await fixture.coordinator.fake()
    const body = { name: 'one', description: 'first', author: 'me', url }
    let id = ''
    const created = await leaves(async () => {
      id = (await call('POST', '/task-services', body, await as('DEV'))).body.kf_id
    })
    const [actor, action] = ['user:u-dev', 'service.write']
    expect(created).toEqual([
      { actor, action, subject: id, detail: { method: 'POST', body: { ...body, enabled: true } } },
    ])
    const change = { description: 'second', deadlines: { silence: '20m', total: null } }
    expect(await leaves(async () => call('PATCH', `/task-services/${id}`, change, await as('DEV')))).toEqual([
      { actor, action, subject: id, detail: { method: 'PATCH', body: change } },
    ])
    expect(
      await leaves(async () => call('DELETE', `/task-services/${id}`, undefined, await as('DEV'))),
    ).toEqual([{ actor, action, subject: id, detail: { method: 'DELETE' } }])
  })

  test('a study sync', async () => {
    const rows = await leaves(async () => call('POST', '/studies/sync', {}, await as('DEV')))
    expect(rows).toEqual([
      { actor: 'user:u-dev', action: 'study.sync', subject: null, detail: expect.anything() },
    ])
  })
})

describe('what changes nothing leaves nothing', () => {
  test('refused for the caller, for the body, for the state, or not there', async () => {
    const service = await fixture.coordinator.register()
    const release = await fixture.coordinator.issue()
    await fixture.coordinator.tasksReach(release, 'running')
    const user = await as('USER')
    const rows = await leaves(async () => {
      const codes = [
        await call('POST', '/releases', { name: 'x', studies: [STUDY] }, user),
        await call('POST', '/releases', { name: '', studies: [STUDY] }),
        await call('POST', '/releases', { name: 'x', studies: ['SD_NOTHERE0'] }),
        await call('PATCH', `/releases/${release}`, { name: 'another name' }),
        await call('PATCH', `/releases/${release}`, { name: 'spring' }),
        await call('POST', `/releases/${release}/publish`),
        await call('POST', '/releases/RE_NOTHERE0/publish'),
        await call('DELETE', '/releases/RE_NOTHERE0'),
        await call('PATCH', `/releases/${release}`, { description: 'x' }, user),
        await call('POST', '/task-services', { name: 'x', description: 'x', author: 'x', url: service.url }),
        await call('PATCH', '/task-services/TS_NOTHERE0', { description: 'x' }),
        await call('DELETE', `/task-services/${service.id}`),
        await call('POST', '/studies/sync', {}, user),
        await call('PATCH', `/task-services/${service.id}`, { description: 'a fake', enabled: true }),
        await call('PUT', `/task-services/${service.id}`, {
          name: service.name,
          description: 'a fake',
          author: 'test',
          url: service.url,
        }),
      ].map(({ code }) => code)
      expect(codes).toEqual([403, 400, 400, 400, 200, 409, 404, 404, 403, 400, 404, 409, 403, 200, 200])
    })
    expect(rows).toEqual([])
  })

  test('a repeated cancel, and a cancel of what has ended', async () => {
    const release = await fixture.coordinator.issue()
    await call('DELETE', `/releases/${release}`)
    const again = await leaves(async () => {
      expect((await call('DELETE', `/releases/${release}`)).code).toBe(200)
    })
    expect(again).toEqual([])
  })

  test('what two ask for at the same moment is one row: one of them did it', async () => {
    const release = await fixture.coordinator.issue()
    await fixture.coordinator.reaches(release, 'staged')
    const rows = await leaves(() =>
      Promise.all(Array.from({ length: 5 }, () => call('POST', `/releases/${release}/publish`))),
    )
    expect(rows).toMatchObject([{ action: 'release.publish', subject: release }])
  })
})

test('events carry who caused them, for admins alone', async () => {
  const release = await fixture.coordinator.issue()
  await fixture.coordinator.reaches(release, 'staged')
  await call('POST', `/releases/${release}/publish`, {}, await as('admin machine'))
  const actorsFor = async (caller: CallerName) => {
    const { body } = await call('GET', `/events?limit=100&release=${release}`, undefined, await as(caller))
    return body.results.map((event: any) => event.actor)
  }
  const actors = await actorsFor('ADMIN')
  expect(actors).toContain('machine:operator')
  // What the coordinator does by itself is nobody's.
  expect(actors).toContain('coordinator')
  expect(await actorsFor('admin machine')).toEqual(actors)
  for (const caller of ['anonymous', 'USER', 'DEV', 'machine'] as const)
    expect(new Set(await actorsFor(caller)), caller).toEqual(new Set([undefined]))
  const [event] = (await call('GET', '/events')).body.results
  const { body } = await call('GET', `/events/${event.kf_id}`, undefined, await as('USER'))
  expect(Object.keys(body)).not.toContain('actor')
})

describe('GET /audit', () => {
  const EDITS = 12
  let release: string

  beforeEach(async () => {
    release = await fixture.coordinator.issue()
    for (let number = 1; number < EDITS; number++)
      await call('PATCH', `/releases/${release}`, { description: `edit ${number}` })
  })

  const lines = (text: string) =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
  const positions = (rows: any[]) => rows.map(({ position }) => position)

  test('pages, the newest first, with the links of every list (CR-11)', async () => {
    const { body } = await call('GET', '/audit?limit=5&actor=user:u-admin')
    expect(body).toMatchObject({ count: EDITS, previous: null })
    expect(body.next).toContain('limit=5&actor=user%3Au-admin&offset=5')
    expect(body.results[0]).toEqual({
      position: expect.any(Number),
      at: expect.stringMatching(/^\d{4}-.*\.\d{6}Z$/),
      actor: 'user:u-admin',
      action: 'release.edit',
      subject: release,
      detail: { method: 'PATCH', body: { description: `edit ${EDITS - 1}` } },
    })
    const pages = await Promise.all(
      [0, 5, 10].map((offset) => call('GET', `/audit?limit=5&offset=${offset}`)),
    )
    const seen = positions(pages.flatMap((page) => page.body.results))
    expect(seen).toEqual(seen.toSorted((a, b) => b - a))
    expect(new Set(seen).size).toBe(EDITS)
  })

  test.each([
    ['action=release.edit', EDITS - 1],
    ['action=release.create', 1],
    ['actor=user:u-admin', EDITS],
    ['actor=user:u-dev', 0],
    ['subject=RE_NOTHERE0', 0],
    ['action=release.edit&actor=user:u-dev', 0],
    ['actor=', EDITS],
  ])('?%s finds %i', async (query, count) => {
    expect((await call('GET', `/audit?${query}`)).body.count).toBe(count)
    expect((await call('GET', `/audit?subject=${release}&action=release.edit`)).body.count).toBe(EDITS - 1)
    const text = (await call('GET', `/audit?format=jsonl&${query}`)).body
    expect(text === '' ? 0 : lines(text).length).toBe(count)
  })

  test('JSON lines, the oldest first, by ?format=jsonl or by Accept; ?after goes on', async () => {
    const all = await call('GET', '/audit?format=jsonl')
    expect(all.headers['content-type']).toMatch(/^application\/x-ndjson/)
    const rows = lines(all.body)
    expect(rows).toEqual((await trail()).toReversed())
    const accepted = await call('GET', '/audit', undefined, { accept: 'application/x-ndjson' })
    expect(accepted).toMatchObject({ code: 200, body: all.body })
    const after = rows[4].position
    const rest = await call('GET', `/audit?format=jsonl&after=${after}`)
    expect(lines(rest.body)).toEqual(rows.slice(5))
    expect((await call('GET', `/audit?format=jsonl&after=${rows.at(-1).position}`)).body).toBe('')
    for (const garbage of ['x', '-1', '1e99', ''])
      expect(lines((await call('GET', `/audit?format=jsonl&after=${garbage}`)).body)).toEqual(rows)
  })

  test('another Accept gets the page', async () => {
    const page = await call('GET', '/audit', undefined, { accept: 'application/json' })
    expect(page.body.count).toBe(EDITS)
  })

  test.each(['POST', 'PUT', 'PATCH', 'DELETE'] as const)('%s: nobody writes history', async (method) => {
    const before = await trail()
    expect((await call(method, '/audit', {})).code).toBe(405)
    expect(await trail()).toEqual(before)
  })

  test('HEAD is as closed as GET', async () => {
    expect((await call('HEAD', '/audit', undefined, await as('DEV'))).code).toBe(403)
    expect((await call('HEAD', '/audit')).code).toBe(200)
  })
})

test('more lines than one batch are all there, once', async () => {
  const release = await fixture.coordinator.issue()
  const edits = Array.from({ length: 1001 }, (_, index) => ({ description: `edit ${index}` }))
  for (const edit of edits) await call('PATCH', `/releases/${release}`, edit)
  const { body } = await call('GET', '/audit?format=jsonl&action=release.edit')
  const seen = (body as string)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).detail.body)
  expect(seen).toEqual(edits)
})

test('neither a token nor what looks like a secret is in the trail or in an event', async () => {
  const token = await fixture.issuer.token(CALLERS.ADMIN, OWN)
  const secret = 'hunter2'
  const body = { name: 'x', studies: [STUDY], token, client_secret: secret, password: secret }
  await call('POST', '/releases', body, bearer(token))
  const { url } = await fixture.coordinator.fake()
  const service = { name: 'x', description: 'x', author: 'x', url, password: secret, authorization: token }
  await call('POST', '/task-services', service, bearer(token))
  expect(await trail()).toHaveLength(2)
  const dump = fixture.dump()
  for (const part of [token, token.split('.')[2] ?? '', secret]) expect(dump).not.toContain(part)
})

test('a detail that is too long is kept as its length', async () => {
  const tags = Array.from({ length: 500 }, (_, index) => `tag ${index} ${'x'.repeat(40)}`)
  await call('POST', '/releases', { name: 'x', studies: [STUDY], tags })
  expect((await trail())[0].detail).toEqual({ tooLong: expect.any(Number) })
})

test('a sync that changes nothing', async () => {
  expect(await studiesFromFile(SAMPLES)()).toHaveLength(3)
  const rows = await leaves(() => call('POST', '/studies/sync', {}))
  // Whoever asked did so, and it was done: the trail tells that too.
  expect(rows).toHaveLength(1)
})
