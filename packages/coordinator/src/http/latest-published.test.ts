import { afterEach, beforeEach, expect, test } from 'vitest'
import { Fixture, STUDY } from '../coordinator.fixture.ts'

let fixture: Fixture

beforeEach(async () => {
  fixture = await Fixture.start()
})
afterEach(() => fixture.close())

const latest = (headers: Record<string, string> = {}) =>
  fixture.call('GET', '/releases/latest-published', undefined, { host: 'c.test', ...headers })

/** Nothing has to be prepared: without services a release is staged at once, and published at once. */
async function staged(fields: object = {}): Promise<string> {
  const id = await fixture.issue(fields)
  await fixture.reaches(id, 'staged')
  return id
}

async function publish(id: string): Promise<string> {
  await fixture.publish(id)
  return (await fixture.reaches(id, 'published')).version
}

test('404 where nothing was published, whatever else there is (CR-42)', async () => {
  await staged()
  expect(await latest()).toMatchObject({ code: 404, body: { detail: 'Not found.' } })
  expect((await latest()).headers).not.toHaveProperty('etag')
})

test('the published release with the highest version, as the release itself (CR-42, RC-29)', async () => {
  const [old, young] = [await staged({ is_major: true }), await staged()]
  await staged()
  expect(await publish(young)).toBe('0.1.0')
  expect((await latest()).body.kf_id).toBe(young)
  // It is older, and was published later.
  expect(await publish(old)).toBe('1.0.0')
  const { code, body } = await latest()
  expect([code, body]).toEqual([
    200,
    (await fixture.call('GET', `/releases/${old}`, undefined, { host: 'c.test' })).body,
  ])
})

test('may be kept for a moment, and is not sent again as long as it is the same (CR-42)', async () => {
  const id = await staged()
  await publish(id)
  const { headers } = await latest()
  const tag = String(headers['etag'])
  expect(tag).toMatch(new RegExp(`^"${id}-0\\.1\\.0-[\\w-]+"$`))
  expect(headers['cache-control']).toMatch(/^public, max-age=\d{1,3}$/)
  for (const known of [tag, `W/${tag}`, `"x", ${tag}`, '*']) {
    const { code, body, headers: again } = await latest({ 'if-none-match': known })
    expect([code, body, again['etag']]).toEqual([304, '', tag])
    expect(again['cache-control']).toBe(headers['cache-control'])
  }
  for (const other of ['"x"', tag.slice(1, -1), ''])
    expect((await latest({ 'if-none-match': other })).code).toBe(200)
})

test('what changes after the publication changes the tag, and so does the next publication (CR-42)', async () => {
  const id = await staged()
  await publish(id)
  const tags = new Set<unknown>()
  const look = async () => tags.add((await latest()).headers['etag'])
  await look()
  await look()
  expect(tags.size).toBe(1)
  await fixture.call('PATCH', `/releases/${id}`, { description: 'after all' })
  await look()
  const note = { description: 'x', release: `/releases/${id}`, study: `/studies/${STUDY}` }
  expect((await fixture.call('POST', '/release-notes', note)).code).toBe(201)
  await look()
  await publish(await staged())
  await look()
  expect(tags.size).toBe(4)
})

test('it is none of the list: HEAD and OPTIONS, and nothing that writes (CR-12, CR-14)', async () => {
  await publish(await staged())
  const head = await fixture.call('HEAD', '/releases/latest-published')
  expect([head.code, head.body, head.headers['etag']]).toEqual([200, '', expect.any(String)])
  expect((await fixture.call('GET', '/releases/latest-published.json')).code).toBe(200)
  expect(await fixture.call('DELETE', '/releases/latest-published')).toMatchObject({
    code: 405,
    headers: { allow: 'GET, HEAD, OPTIONS' },
  })
})
