import * as fc from 'fast-check'
import type { Route } from './side.ts'

/** A request as it is sent; a body of bytes is shown in base64 when it is reported. */
export interface HostileRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly payload?: string | Buffer
}

const PROTOTYPE_NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf']

const nastyText = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...PROTOTYPE_NAMES) },
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      '',
      ' ',
      '\0',
      'a\0b',
      '\ud800',
      'x\udfff',
      '\u202e\u0000\ufeff',
      'null',
      'undefined',
      'NaN',
      '1e999',
      '-0',
      '50%',
      '9'.repeat(400),
      'x'.repeat(10_000),
      '💣'.repeat(300),
      'é'.normalize('NFD').repeat(200),
      '../../../etc/passwd',
      "'; DROP TABLE tasks; --",
      '%',
      '%00',
      '%E0%A4%A',
      '<script>alert(1)</script>',
      '${7*7}{{7*7}}',
      '\r\nx-injected: 1',
      'TA_\0\0\0\0\0\0\0\0',
      'RE_\ud800bcdefgh',
      'SD_________',
      'http://127.0.0.1:1',
      'http://[::1]:1/x',
      'http://0x7f.1:1',
      'http://user:secret@127.0.0.1:1',
      'http://localhost:1\0',
      'javascript:alert(1)',
      'file:///etc/passwd',
      'http:/',
      'http://[',
    ),
  },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 30 }) },
)

const nastyNumber = fc.constantFrom(
  0,
  -0,
  -1,
  0.5,
  1e308,
  -1e308,
  5e-324,
  2 ** 31,
  2 ** 53,
  2 ** 63,
  Number.MAX_SAFE_INTEGER + 2,
)

const deep = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth))

const nastyValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 5, arbitrary: nastyText },
  { weight: 2, arbitrary: nastyNumber },
  { weight: 2, arbitrary: fc.constantFrom(null, true, false, [], {}, [[]], [null], { length: 1, 0: 'x' }) },
  { weight: 2, arbitrary: fc.array(nastyText, { maxLength: 5 }) },
  { weight: 1, arbitrary: fc.constantFrom(10, 49, 51, 1000).map(deep) },
  { weight: 1, arbitrary: fc.constantFrom(1000, 20_000).map((length) => Array(length).fill('SD_00000001')) },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 4 }) },
)

type Body = Readonly<Record<string, unknown>>

/** One change to a body that was meant well. */
function spoilt(body: Body): fc.Arbitrary<unknown> {
  const names = Object.keys(body)
  const name = names.length > 0 ? fc.constantFrom(...names) : nastyText
  return fc.oneof(
    {
      weight: 6,
      arbitrary: fc.tuple(name, nastyValue).map(([key, value]) => ({ ...body, [key]: value })),
    },
    {
      weight: 2,
      arbitrary: name.map((key) => Object.fromEntries(Object.entries(body).filter(([own]) => own !== key))),
    },
    { weight: 1, arbitrary: fc.dictionary(fc.oneof(nastyText, name), nastyValue, { maxKeys: 5 }) },
    { weight: 1, arbitrary: fc.constantFrom([body], [[body]], { body }, JSON.stringify(body)) },
    { weight: 1, arbitrary: nastyValue },
  )
}

/** The text of a JSON value, often written in a way that is none. */
function written(value: unknown): fc.Arbitrary<string | Buffer> {
  const text = JSON.stringify(value) ?? ''
  const inner = text.startsWith('{') && text !== '{}' ? text.slice(1) : null
  return fc.oneof(
    { weight: 8, arbitrary: fc.constant<string | Buffer>(text) },
    { weight: 2, arbitrary: fc.nat(text.length).map((at) => text.slice(0, at)) },
    {
      weight: 2,
      // The same field twice, or one that is meant to become the prototype of the rest.
      arbitrary: fc
        .constantFrom(
          '"action":5',
          '"name":null',
          '"__proto__":{"state":"staged"}',
          '"constructor":{"prototype":{}}',
        )
        .map((first) => (inner === null ? `{${first}}` : `{${first},${inner}`)),
    },
    {
      weight: 2,
      arbitrary: fc.constantFrom<string | Buffer>(
        '',
        ' ',
        `\ufeff${text}`,
        `${text}${text}`,
        `${text},`,
        text.replaceAll('"', "'"),
        text.replace('{', '{/* */'),
        '{"progress":1e99999}',
        '{"progress":NaN}',
        '{"state":"\\ud800"}',
        '{"state":"\\x41"}',
        '['.repeat(100_000),
        `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`,
        Buffer.from(text, 'utf16le'),
        Buffer.from([0xff, 0xfe, 0x7b, 0x7d]),
        Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]),
        Buffer.concat([Buffer.from('{"name":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]),
      ),
    },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)) },
  )
}

const form = (body: Body) =>
  fc.dictionary(fc.oneof(nastyText, fc.constantFrom(...Object.keys(body), 'x')), nastyText).map((fields) =>
    Object.entries(fields)
      .map(([key, value]) => `${encoded(key)}=${encoded(value)}`)
      .join('&'),
  )

const BIG = 'x'.repeat(1_100_000)

function payloadOf(body: Body): fc.Arbitrary<string | Buffer> {
  return fc.oneof(
    { weight: 12, arbitrary: spoilt(body).chain(written) },
    { weight: 2, arbitrary: form(body) },
    // Rarely: a megabyte takes its time.
    {
      weight: 1,
      arbitrary: fc.integer({ min: 0, max: 19 }).map((chance) => (chance === 0 ? `{"name":"${BIG}"}` : '{')),
    },
  )
}

const contentType = fc.oneof(
  { weight: 12, arbitrary: fc.constant('application/json') },
  {
    weight: 5,
    arbitrary: fc.constantFrom(
      'application/json; charset=utf-16',
      'APPLICATION/JSON',
      'application/json;',
      'application/jsonx',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'multipart/form-data',
      'text/plain',
      'text/html',
      '',
      ';;;',
      '*/*',
      'application/__proto__',
      'constructor',
      'x'.repeat(2000),
    ),
  },
)

const headerText = fc.constantFrom(
  '',
  '*',
  'null',
  '__proto__',
  'x'.repeat(4000),
  'Bearer x',
  'Bearer eyJhbGciOiJub25lIn0.e30.',
  'Basic OjA=',
  '-1',
  '1e999',
  'bytes=0-',
  'https://evil.example',
  'application/xml',
  'text/html;q=0.9, */*;q=0',
  'application/json;q=0',
  ',,,;;;===',
  '127.0.0.1, evil.example',
  'ÿþ',
)

const HEADER_NAMES = [
  'accept',
  'accept-encoding',
  'authorization',
  'cookie',
  'host',
  'origin',
  'range',
  'referer',
  'if-match',
  'last-event-id',
  'content-encoding',
  'access-control-request-method',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-http-method-override',
  'x-csrftoken',
  '__proto__',
  'constructor',
]

const headers = fc.dictionary(fc.constantFrom(...HEADER_NAMES), headerText, { maxKeys: 3 })

/** Percent-encoded as far as that is possible: half of a pair is not. */
const encoded = (text: string) => encodeURIComponent(text.toWellFormed())

const pathText = fc.oneof(
  nastyText.map(encoded),
  fc.constantFrom(
    '%',
    '%zz',
    '%E0%A4%A',
    '%00',
    '%2e%2e%2f',
    '..%2f..',
    '%25%30%30',
    '.json',
    'a.b.c',
    '*',
    ':id',
    '()',
  ),
)

function urlOf({ path, query = [] }: Route): fc.Arbitrary<string> {
  const name = query.length > 0 ? fc.oneof(fc.constantFrom(...query), nastyText) : nastyText
  const pairs = fc.array(fc.tuple(name.map(encoded), fc.oneof(nastyText.map(encoded), pathText)), {
    maxLength: 4,
  })
  const search = pairs.map((list) => list.map(([key, value]) => `${key}=${value}`).join('&'))
  const place = fc.oneof(
    { weight: 6, arbitrary: fc.constant(path) },
    { weight: 2, arbitrary: pathText.map((text) => path.replace(/[^/]*$/, text)) },
    { weight: 1, arbitrary: pathText.map((text) => `${path}/${text}`) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(`/${path}`, `${path}/`, `${path}.json`, path.toUpperCase(), `${path}//`),
    },
    { weight: 1, arbitrary: fc.array(pathText, { maxLength: 4 }).map((parts) => `/${parts.join('/')}`) },
  )
  return fc
    .tuple(place, fc.oneof({ weight: 2, arbitrary: fc.constant('') }, { weight: 1, arbitrary: search }))
    .map(([at, text]) => (text === '' ? at : `${at}?${text}`))
}

const METHODS = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'QUERY',
  'MERGE',
]

/** Requests as nobody who means well sends them, near the routes that a side has. */
export function hostileRequests(routes: readonly Route[]): fc.Arbitrary<HostileRequest> {
  return fc.constantFrom(...routes).chain((route) => {
    const method = fc.oneof(
      { weight: 5, arbitrary: fc.constant(route.method) },
      { weight: 1, arbitrary: fc.constantFrom(...METHODS) },
    )
    const carries = route.body !== undefined || route.method !== 'GET'
    const body = carries
      ? fc.tuple(payloadOf(route.body ?? {}), contentType).map(([payload, type]) => ({ payload, type }))
      : fc.constant(null)
    return fc.tuple(method, urlOf(route), headers, body).map(([chosen, url, extra, content]) => ({
      method: chosen,
      url,
      headers: { ...extra, ...(content && content.type !== '' ? { 'content-type': content.type } : {}) },
      ...(content ? { payload: content.payload } : {}),
    }))
  })
}
