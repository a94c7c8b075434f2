import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { claimsFor, type MachineSubject, type UserSubject } from '../token-claims.ts'
import { sign, signingKey, type SigningKey } from './signing-key.ts'

/** How an endpoint behaves until it is told otherwise; `hanging` answers when it is told `good` again. */
export type Behaviour = 'good' | 'error' | 'html' | 'redirect' | 'hanging' | 'refusing' | 'cut'

export interface TestIssuer extends AsyncDisposable {
  /** `iss` of its tokens. */
  readonly issuer: string
  readonly jwksUrl: string
  readonly tokenUrl: string
  /** Requests that arrived, redirected ones not counted. */
  readonly count: { keys: number; tokens: number; elsewhere: number }
  /** Bodies that arrived at the token endpoint, in order. */
  readonly asked: readonly unknown[]
  /** Of tokens from the token endpoint. */
  lifeSeconds: number
  /** What the tokens name as their key; null: the key that they are signed with. */
  kid: string | null
  /** Milliseconds since the epoch. */
  now: () => number
  keys(behaviour: Behaviour): void
  tokens(behaviour: Behaviour): void
  /** A new key signs from now on; the old one is gone from the key set. */
  rotate(): Promise<SigningKey>
  readonly key: SigningKey
  /** A good token of the present key; `claims` are added or replaced, `undefined` takes one away. */
  token(subject: UserSubject | MachineSubject, audience: string, claims?: object): Promise<string>
  /** Resolves when `keys` or `tokens` has been asked so many times. */
  arrived(what: 'keys' | 'tokens', times: number): Promise<void>
}

/**
 * A key set and a token endpoint on a free port, with every fault that one of them can have (AU-4, AU-5).
 * `first` signs until `rotate`: a key takes a moment to make, and tests may share one.
 */
export async function startTestIssuer(
  alg: 'RS256' | 'ES256' = 'RS256',
  first?: SigningKey,
): Promise<TestIssuer> {
  let key = first ?? (await signingKey(alg))
  const modes = { keys: 'good' as Behaviour, tokens: 'good' as Behaviour }
  const count = { keys: 0, tokens: 0, elsewhere: 0 }
  const asked: unknown[] = []
  const held: { what: 'keys' | 'tokens'; answer: () => void }[] = []
  const watchers: { what: 'keys' | 'tokens'; times: number; resolve: () => void }[] = []

  function arrive(what: 'keys' | 'tokens'): void {
    count[what] += 1
    for (const watcher of watchers) if (count[watcher.what] >= watcher.times) watcher.resolve()
  }

  function set(what: 'keys' | 'tokens', behaviour: Behaviour): void {
    modes[what] = behaviour
    if (behaviour === 'hanging') return
    const released = held.filter((one) => one.what === what)
    for (const one of released) {
      held.splice(held.indexOf(one), 1)
      one.answer()
    }
  }

  function behave(what: 'keys' | 'tokens', response: ServerResponse, good: () => Promise<object>): void {
    const json = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    const actions: { readonly [B in Behaviour]: () => unknown } = {
      good: () => good().then((body) => json(200, body)),
      error: () => json(500, { error: 'server_error' }),
      html: () => response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>It works!</h1>'),
      redirect: () => response.writeHead(302, { location: '/elsewhere' }).end(),
      hanging: () => held.push({ what, answer: () => behave(what, response, good) }),
      refusing: () => json(403, { error: 'access_denied' }),
      cut: () => response.destroy(),
    }
    actions[modes[what]]()
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await textOf(request)
    if (request.url === '/.well-known/jwks.json') {
      arrive('keys')
      behave('keys', response, async () => ({ keys: [key.publicJwk] }))
    } else if (request.url === '/oauth/token') {
      asked.push(JSON.parse(body))
      arrive('tokens')
      behave('tokens', response, () => tokenAnswer(JSON.parse(body)))
    } else {
      count.elsewhere += 1
      // What a redirect leads to is good, so that following it would be noticed.
      response.end(JSON.stringify({ keys: [key.publicJwk], access_token: 'redirected', expires_in: 60 }))
    }
  }

  async function tokenAnswer(body: { client_id: string; audience: string }): Promise<object> {
    const jti = `token-${count.tokens}`
    const value = await mint({ kind: 'machine', client: body.client_id }, body.audience, { jti })
    return { access_token: value, token_type: 'Bearer', expires_in: self.lifeSeconds }
  }

  function mint(
    subject: UserSubject | MachineSubject,
    audience: string,
    claims: object = {},
  ): Promise<string> {
    const seconds = Math.floor(self.now() / 1000)
    const times = { iat: seconds, exp: seconds + self.lifeSeconds }
    const all = { ...claimsFor(subject), iss: `${address}/`, aud: audience, ...times, ...claims }
    return sign(key, all, self.kid === null ? {} : { kid: self.kid })
  }

  const server = createServer((request, response) => void handle(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  const self: TestIssuer = {
    issuer: address,
    jwksUrl: `${address}/.well-known/jwks.json`,
    tokenUrl: `${address}/oauth/token`,
    count,
    asked,
    lifeSeconds: 3600,
    kid: null,
    now: Date.now,
    keys: (behaviour) => set('keys', behaviour),
    tokens: (behaviour) => set('tokens', behaviour),
    rotate: async () => (key = await signingKey(alg)),
    get key() {
      return key
    },
    token: mint,
    arrived: (what, times) =>
      new Promise((resolve) => (count[what] >= times ? resolve() : watchers.push({ what, times, resolve }))),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return self
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}
