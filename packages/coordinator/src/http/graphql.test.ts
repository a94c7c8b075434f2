import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Fixture } from '../coordinator.fixture.ts'
import { idOf } from '../graphql/graphql.fixture.ts'

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const STATUS = '{ status { name } }'
const DATA = { data: { status: { name: 'Kids First Release Coordinator' } } }
const ORIGIN = 'https://dashboard.test'

let fixture: Fixture
beforeAll(async () => {
  fixture = await Fixture.start({ env: { CORS_ORIGINS: ORIGIN } })
})
afterAll(() => fixture.close())

const get = (parameters: Record<string, string>, headers: Record<string, string> = {}) =>
  fixture.call('GET', `/graphql?${new URLSearchParams(parameters).toString()}`, undefined, headers)
const post = (body: unknown, headers: Record<string, string> = {}) =>
  fixture.call('POST', '/graphql', body, headers)
const message = (text: unknown) => ({ errors: [{ message: text }] })

describe('a question', () => {
  test('is JSON, a form, or a query of the address', async () => {
    expect(await post({ query: STATUS })).toMatchObject({ code: 200, body: DATA })
    expect(await post(new URLSearchParams({ query: STATUS }).toString(), FORM)).toMatchObject({ body: DATA })
    expect(await get({ query: STATUS })).toMatchObject({ code: 200, body: DATA })
    expect((await post({ query: STATUS })).headers).toMatchObject({
      'content-type': expect.stringContaining('application/json'),
      'cache-control': 'no-store',
    })
  })

  test('has variables in every form; those that it does not name are ignored', async () => {
    const query = 'query Q($id: ID!) { release(id: $id) { id } }'
    const variables = { id: idOf('ReleaseNode', 'RE_00000001'), other: 1 }
    const none = { data: { release: null } }
    expect((await post({ query, variables })).body).toEqual(none)
    const text = JSON.stringify(variables)
    expect((await post({ query, variables: text })).body).toEqual(none)
    expect((await get({ query, variables: text, operationName: 'Q' })).body).toEqual(none)
    expect((await post(new URLSearchParams({ query, variables: text }).toString(), FORM)).body).toEqual(none)
  })

  test('may be one of several by its name', async () => {
    const query = `query A ${STATUS} query B { status { commit } }`
    expect((await post({ query, operationName: 'A' })).body).toEqual(DATA)
    expect((await post({ query, operationName: 'B' })).body).toEqual({ data: { status: { commit: null } } })
    expect(await post({ query })).toMatchObject({ code: 400, body: message(expect.anything()) })
    expect(await post({ query, operationName: 'C' })).toMatchObject({ code: 400 })
  })

  test('may be about the schema', async () => {
    const { code, body } = await post({ query: '{ __schema { queryType { name } } }' })
    expect([code, body]).toEqual([200, { data: { __schema: { queryType: { name: 'Query' } } } }])
  })
})

describe('400 without data', () => {
  test.each([
    ['a batch', [{ query: STATUS }], 'The received data is not a valid JSON query.'],
    ['a text', '"x"', 'The received data is not a valid JSON query.'],
    ['no query', {}, 'Must provide query string.'],
    ['a query that is none', { query: 7 }, 'Must provide query string.'],
    ['variables in a list', { query: STATUS, variables: [1] }, 'Variables are invalid JSON.'],
    ['variables that are no JSON', { query: STATUS, variables: '{' }, 'Variables are invalid JSON.'],
    ['a mistake', { query: '{ status' }, expect.stringContaining('Syntax Error')],
    ['an unknown field', { query: '{ nothing }' }, expect.stringContaining('nothing')],
    [
      'an unknown field of an input',
      { query: 'mutation { startRelease(input: {name: "x", studies: [], tags: []}) { release { id } } }' },
      expect.stringContaining('tags'),
    ],
    [
      'a missing variable',
      { query: 'query Q($id: ID!) { release(id: $id) { id } }' },
      expect.stringContaining('$id'),
    ],
  ])('%s', async (_, body, text) => {
    const answer = await post(typeof body === 'string' ? body : JSON.stringify(body), {
      'content-type': 'application/json',
    })
    expect(answer).toMatchObject({ code: 400, body: { errors: [{ message: text }] } })
    expect(answer.body).not.toHaveProperty('data')
  })

  test('a body that is no JSON, in the shape that clients look for', async () => {
    const answer = await post('{', { 'content-type': 'application/json' })
    expect(answer).toMatchObject({ code: 400, body: message(expect.any(String)) })
    expect(await post('x', { 'content-type': 'text/plain' })).toMatchObject({ code: 415 })
  })

  test('a browser that comes without a query gets a sentence, and no page', async () => {
    for (const accept of ['text/html', 'text/html,*/*;q=0.8'])
      expect(await get({}, { accept })).toMatchObject({
        code: 400,
        body: message(expect.stringContaining('POST')),
      })
  })
})

describe('methods', () => {
  test('a mutation over GET is refused, and does nothing', async () => {
    const query = 'mutation { syncStudies { new { edges { node { id } } } } }'
    const answer = await get({ query })
    expect(answer).toMatchObject({
      code: 405,
      body: message('Can only perform a mutation operation from a POST request.'),
    })
    expect(answer.body).not.toHaveProperty('data')
    const both = `query A ${STATUS} ${query.replace('mutation', 'mutation B')}`
    expect(await get({ query: both, operationName: 'A' })).toMatchObject({ code: 200, body: DATA })
    expect(await get({ query: both, operationName: 'B' })).toMatchObject({ code: 405 })
  })

  test.each(['PUT', 'PATCH', 'DELETE'] as const)('%s is 405', async (method) => {
    const answer = await fixture.call(method, '/graphql', { query: STATUS })
    expect(answer).toMatchObject({ code: 405, headers: { allow: 'GET, HEAD, OPTIONS, POST' } })
  })

  test('OPTIONS tells the methods', async () => {
    expect(await fixture.call('OPTIONS', '/graphql')).toMatchObject({ code: 200, body: { name: 'GraphQL' } })
  })
})

test('what fails is told at its field, the others are answered', async () => {
  const query = `{ status { name } release(id: "${idOf('StudyNode', 'SD_00000001')}") { id } }`
  expect(await post({ query })).toMatchObject({
    code: 200,
    body: {
      data: { ...DATA.data, release: null },
      errors: [
        { message: 'Must receive a ReleaseNode id.', path: ['release'], locations: [expect.anything()] },
      ],
    },
  })
})

test('a page of a listed origin may ask with cookies allowed; none is ever set', async () => {
  const headers = { origin: ORIGIN }
  const ours = await post({ query: STATUS }, headers)
  expect(ours.headers).toMatchObject({
    'access-control-allow-origin': ORIGIN,
    'access-control-allow-credentials': 'true',
  })
  expect(ours.headers).not.toHaveProperty('set-cookie')
  const before = await fixture.call('OPTIONS', '/graphql', undefined, {
    ...headers,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization, content-type',
  })
  expect(before).toMatchObject({ code: 204, headers: { 'access-control-allow-credentials': 'true' } })
  const others = [
    await post({ query: STATUS }, { origin: 'https://other.test' }),
    await fixture.call('GET', '/releases', undefined, headers),
  ]
  for (const { headers: seen } of others) expect(seen).not.toHaveProperty('access-control-allow-credentials')
})
