import { gunzipSync } from 'node:zlib'
import { rawRequest } from '@release-task/auth/testing'
import { listen } from '@release-task/http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Fixture, STUDY } from '../coordinator.fixture.ts'
import { AuthFixture } from './auth.fixture.ts'
import { BROWSER, BuiltFolder, SCRIPT } from './built-page.fixture.ts'

const STRICT = "default-src 'none'; frame-ancestors 'none'"
const PAGE = /^<html nonce="[\w-]{24}">/

let built: BuiltFolder
let fixture: Fixture

const get = (url: string, headers: Record<string, string> = {}) =>
  fixture.call('GET', url, undefined, headers)
const withoutMoment = (headers: Record<string, unknown>) => ({ ...headers, date: '', 'content-length': '' })

describe('a coordinator with a built page', () => {
  let release: string

  beforeAll(async () => {
    built = new BuiltFolder()
    fixture = await Fixture.start({ env: { DASHBOARD_DIR: built.folder } })
    release = await fixture.issue()
  })
  afterAll(async () => {
    await fixture.close()
    built[Symbol.dispose]()
  })

  test.each([
    '/',
    '/releases',
    '/releases/RE_00000000',
    '/releases/RE_00000000?tab=events',
    '/releases?state=failed&limit=5',
    '//releases',
    '/tasks',
    '/tasks/TA_00000000',
    '/task-services',
    '/task-services/TS_00000000',
    '/events',
    '/studies',
    `/studies/${STUDY}`,
    '/release-notes',
    '/release-notes/RN_00000000',
    '/audit',
    '/signed-in?code=abc&state=def',
  ])('%s is the page for a browser, also where it knows no such id (CR-45, SV-22)', async (url) => {
    const { code, body, headers } = await get(url, BROWSER)
    expect([code, body]).toEqual([200, expect.stringMatching(PAGE)])
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      vary: 'Accept',
    })
    const head = await fixture.call('HEAD', url, undefined, BROWSER)
    expect([head.code, head.body]).toEqual([200, ''])
    expect(head.headers['content-type']).toBe('text/html; charset=utf-8')
  })

  test.each(['/', '/releases', '/tasks?limit=1', '/task-services', '/events', '/studies', '/audit'])(
    '%s is the JSON that it was for everybody else (CR-45)',
    async (url) => {
      const before = await get(url)
      expect(before.headers).toMatchObject({ vary: 'Accept', 'cache-control': 'no-store' })
      expect(before.headers['content-security-policy']).toBe(STRICT)
      for (const accept of ['*/*', 'application/json', 'application/json, text/html;q=0.9']) {
        const { code, body, headers } = await get(url, { accept })
        expect([code, body]).toEqual([200, before.body])
        expect(withoutMoment(headers)).toEqual(withoutMoment(before.headers))
      }
    },
  )

  test('the suffix and ?format are stronger than a browser (CR-3, CR-45)', async () => {
    for (const url of [
      '/releases.json',
      `/releases/${release}.json`,
      '/releases?format=json',
      '/audit?format=json',
    ])
      expect((await get(url, BROWSER)).body, url).toEqual((await get(url)).body)
    const lines = await get('/audit?format=jsonl', BROWSER)
    expect(lines.headers['content-type']).toContain('application/x-ndjson')
    expect((await get('/releases?format=html', BROWSER)).body).toMatch(PAGE)
  })

  test.each([
    ['/nothing', 404],
    ['/releases/', 404],
    ['/releases/a/b', 404],
    ['/studies/SD_00000000/releases', 404],
    ['/releases/status_checks', 405],
    ['/releases/latest-published', 404],
    ['/events/EV_00000000', 404],
    ['/sign-in', 200],
    ['/me', 200],
    ['/livez', 200],
    ['/openapi.json', 200],
    ['/index.html', 404],
  ] as const)('%s is no page: %i as before', async (url, code) => {
    const answer = await get(url, BROWSER)
    expect([answer.code, typeof answer.body]).toEqual([code, 'object'])
  })

  test('there is nothing but a page at /signed-in', async () =>
    expect(await get('/signed-in')).toMatchObject({
      code: 404,
      body: { detail: 'There is nothing at /signed-in.' },
    }))

  test('a write is a write, whatever its caller would like to read', async () => {
    expect((await fixture.call('POST', '/releases', {}, BROWSER)).code).toBe(400)
    expect((await fixture.call('OPTIONS', '/releases', undefined, BROWSER)).body).toMatchObject({
      name: 'list',
    })
  })

  test('each answer has a nonce of its own, in the page and in its policy (CR-47)', async () => {
    const answers = await Promise.all([get('/', BROWSER), get('/', BROWSER)])
    const nonces = answers.map(({ body, headers }) => {
      const [first, second, ...more] = String(body).match(/[\w-]{24}/g) ?? []
      expect([second, more, String(body).includes('__NONCE__')]).toEqual([first, [], false])
      expect(headers['content-security-policy']).toBe(
        `default-src 'none'; script-src 'self'; style-src 'self' 'nonce-${first}'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      )
      expect(headers).toMatchObject({ 'x-frame-options': 'DENY', 'x-content-type-options': 'nosniff' })
      return first
    })
    expect(nonces[0]).not.toBe(nonces[1])
  })

  test.each([
    ['/assets/main-1a2b.js', 'text/javascript; charset=utf-8'],
    ['/assets/main-1a2b.css', 'text/css; charset=utf-8'],
    ['/assets/linked-1a2b.css', 'text/css; charset=utf-8'],
    ['/assets/deep/font-1a2b.woff2', 'font/woff2'],
    ['/assets/picture-1a2b.png', 'image/png'],
    ['/assets/main-1a2b.js.map', 'application/json; charset=utf-8'],
    ['/assets/with%20space.svg', 'image/svg+xml'],
  ])('%s is kept for good, as %s (CR-46)', async (url, type) => {
    const { code, headers } = await get(url)
    expect(code).toBe(200)
    expect(headers).toMatchObject({
      'content-type': type,
      'cache-control': 'public, max-age=31536000, immutable',
      'content-security-policy': STRICT,
    })
  })

  test.each([
    ['/favicon.svg', 'image/svg+xml'],
    ['/favicon.ico', 'image/x-icon'],
    ['/manifest.json', 'application/json; charset=utf-8'],
  ])('%s, whose name stays, is kept for an hour (CR-46)', async (url, type) => {
    const { code, headers } = await get(url)
    expect([code, headers['content-type'], headers['cache-control']]).toEqual([
      200,
      type,
      'public, max-age=3600',
    ])
  })

  test.each([
    ['gzip, deflate, br', true],
    ['*', true],
    ['gzip;q=0, *', false],
    ['*;q=0, GZIP;q=0.5', true],
    ['br', false],
    ['', false],
  ])('Accept-Encoding: %s gets it compressed: %s (CR-46)', async (coding, isSmall) => {
    const { app } = fixture.coordinator
    const url = '/assets/main-1a2b.js'
    const { headers, rawPayload } = await app.inject({ url, headers: { 'accept-encoding': coding } })
    expect([headers['content-encoding'], headers['vary']]).toEqual([
      isSmall ? 'gzip' : undefined,
      'Accept-Encoding',
    ])
    expect(headers['content-length']).toBe(String(rawPayload.length))
    expect((isSmall ? gunzipSync(rawPayload) : rawPayload).toString()).toBe(SCRIPT)
  })

  test('HEAD of an asset has its headers and no body; a picture is not compressed again', async () => {
    const head = await fixture.call('HEAD', '/assets/picture-1a2b.png', undefined, {
      'accept-encoding': 'gzip',
    })
    expect([head.code, head.body, head.headers['content-encoding']]).toEqual([200, '', undefined])
  })

  test('what was not in the build is not sent, however it is asked for (CR-46)', async () => {
    const url = await listen(fixture.coordinator.app, { host: '127.0.0.1', port: 0, auth: null })
    const paths = [
      '/assets/../../secret.txt',
      '/assets/..%2f..%2fsecret.txt',
      '/assets/%2e%2e/%2e%2e/secret.txt',
      '/assets/..\\..\\secret.txt',
      '/../secret.txt',
      '/assets//../secret.txt',
      '/assets/%00',
      '/assets',
      '/assets/',
      '/assets/__proto__',
      '/assets/.hidden.js',
      '/.stamp',
      '/dist/index.html',
    ]
    for (const path of paths) {
      const { status, text } = await rawRequest(url, { method: 'GET', path })
      expect([path, status]).toEqual([path, 404])
      expect(text).not.toContain('secret"')
    }
  })
})

describe('where a page finds the root of its coordinator (CR-45)', () => {
  const ROOTS = { 'index.html': '<meta content="__ROOT__"><script src="__ROOT__assets/main.js"></script>' }
  const pageThatSays = (root: string) =>
    `<meta content="${root}"><script src="${root}assets/main.js"></script>`
  const below = [
    ['/releases', './'],
    ['/signed-in?code=/a/b/', './'],
    ['/releases/RE_00000000?tab=/events', '../'],
    ['//releases', '../'],
    ['/releases//RE_00000000', '../../'],
  ] as const

  test.each([
    [{}, [['/', './'], ...below]],
    [{ PUBLIC_URL: 'https://releases.test' }, [['/', './'], ...below]],
    [{ PUBLIC_URL: 'https://releases.test/data/coordinator/' }, [['/', '/data/coordinator/'], ...below]],
    [{ PUBLIC_URL: 'https://releases.test/a&quot;"<b>$&' }, [['/', '/a&amp;quot;%22%3Cb%3E$&amp;/']]],
  ] as const)('%j', async (env, pages) => {
    using folder = new BuiltFolder(false)
    folder.build(ROOTS)
    const rooted = await Fixture.start({ env: { ...env, DASHBOARD_DIR: folder.folder } })
    try {
      for (const [url, root] of pages) {
        const { code, body, headers } = await rooted.call('GET', url, undefined, BROWSER)
        expect([url, code, body]).toEqual([url, 200, pageThatSays(root)])
        expect(headers['content-security-policy']).toContain("base-uri 'none'")
      }
    } finally {
      await rooted.close()
    }
  })
})

describe('a page and tokens', () => {
  test('the page and its files need none, what it asks for does; a policy names where tokens come from (CR-47)', async () => {
    using folder = new BuiltFolder()
    const auth = await AuthFixture.start({
      DASHBOARD_DIR: folder.folder,
      AUTH_READS: 'required',
      CORS_ORIGINS: 'https://other.test',
      DASHBOARD_CLIENT_ID: 'page',
      DASHBOARD_AUTHORIZE_URL: 'https://login.test/authorize',
      DASHBOARD_TOKEN_URL: 'https://tokens.test:8443/oauth/token',
    })
    try {
      const ask = async (url: string, headers: Record<string, string>) =>
        auth.coordinator.call('GET', url, undefined, { ...headers, authorization: '' })
      for (const url of ['/releases', '/audit', '/signed-in']) {
        const { code, headers } = await ask(url, BROWSER)
        expect([url, code, headers['vary']]).toEqual([url, 200, 'Accept, Origin'])
        expect(headers['content-security-policy']).toContain(`connect-src 'self' https://tokens.test:8443;`)
      }
      expect((await ask('/assets/main-1a2b.js', {})).code).toBe(200)
      for (const url of ['/releases', '/audit', '/releases.json', '/nothing'])
        expect([url, (await ask(url, {})).code]).toEqual([url, 403])
      expect((await ask('/releases.json', BROWSER)).code).toBe(403)
    } finally {
      await auth.close()
    }
  })
})

describe('a folder that is not there, or comes later', () => {
  test.each([[{}], [{ DASHBOARD_DIR: '/nowhere/at/all' }]])(
    'with %j everybody gets what there was (CR-3)',
    async (env) => {
      const plain = await Fixture.start({ env })
      try {
        const ask = (url: string, accept: string) => plain.call('GET', url, undefined, { accept })
        expect((await ask('/releases', BROWSER.accept)).body).toMatchObject({ count: 0 })
        expect((await ask('/releases', 'text/html')).code).toBe(406)
        expect((await ask('/signed-in', BROWSER.accept)).code).toBe(404)
        expect((await ask('/assets/main-1a2b.js', '*/*')).code).toBe(404)
      } finally {
        await plain.close()
      }
    },
  )

  test('a build is found once it is complete, and the next one after it (CR-45)', async () => {
    using folder = new BuiltFolder(false)
    const late = await Fixture.start({ env: { DASHBOARD_DIR: folder.folder } })
    try {
      const page = async () => (await late.call('GET', '/', undefined, BROWSER)).body
      expect(await page()).toMatchObject({ tasks: expect.any(String) })
      folder.build()
      expect(await page()).toMatch(PAGE)
      folder.build({ 'index.html': 'the second', 'assets/second.js': 'x' })
      expect((await late.call('GET', '/assets/second.js')).body).toBe('x')
      expect(await page()).toBe('the second')
      // Whoever has the page open needs its files still; the ones before those are gone.
      expect((await late.call('GET', '/assets/main-1a2b.js')).code).toBe(200)
      folder.build({ 'index.html': 'the third', 'assets/third.js': 'x' })
      expect((await late.call('GET', '/assets/third.js')).code).toBe(200)
      expect((await late.call('GET', '/assets/second.js')).code).toBe(200)
      expect((await late.call('GET', '/assets/main-1a2b.js')).code).toBe(404)
      // In the moment between two builds there is none.
      folder.remove()
      expect(await page()).toBe('the third')
    } finally {
      await late.close()
    }
  })
})
