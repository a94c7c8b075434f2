import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Plugin } from 'vite'

const TOKEN = '/sign-in/token'

type Next = (error?: unknown) => void

/**
 * The local issuer lets only the coordinator's own page ask for a token (CR-48). The development server is another
 * origin: it tells the page to ask here, and asks the issuer as a program does, without an origin.
 */
export function localSignIn(coordinator: string): Plugin {
  return {
    name: 'local-sign-in',
    apply: 'serve',
    configureServer({ middlewares }) {
      middlewares.use('/sign-in', (request: IncomingMessage, response: ServerResponse, next: Next) => {
        const answer = request.url === '/token' ? tokenFor(coordinator, request) : waysOf(coordinator)
        answer.then(
          ({ status, body }) =>
            response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
          next,
        )
      })
    },
  }
}

interface Answer {
  readonly status: number
  readonly body: unknown
}

interface Way {
  readonly kind: string
  readonly token_url: string
}

async function signInOf(coordinator: string): Promise<Response> {
  return fetch(`${coordinator}/sign-in`, { headers: { accept: 'application/json' } })
}

async function waysOf(coordinator: string): Promise<Answer> {
  const answer = await signInOf(coordinator)
  const body = (await answer.json()) as { ways?: readonly Way[] }
  const ways = body.ways?.map((way) => (way.kind === 'local' ? { ...way, token_url: TOKEN } : way))
  return { status: answer.status, body: ways ? { ...body, ways } : body }
}

async function tokenFor(coordinator: string, request: IncomingMessage): Promise<Answer> {
  const { ways } = (await (await signInOf(coordinator)).json()) as { ways: readonly Way[] }
  const way = ways.find(({ kind }) => kind === 'local')
  if (!way) return { status: 404, body: { error: 'the coordinator has no local issuer' } }
  let text = ''
  for await (const chunk of request) text += String(chunk)
  const headers = { 'content-type': request.headers['content-type'] ?? '' }
  const answer = await fetch(way.token_url, { method: 'POST', headers, body: text })
  return { status: answer.status, body: await answer.json() }
}
