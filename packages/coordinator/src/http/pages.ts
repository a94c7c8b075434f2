import { randomBytes } from 'node:crypto'
import { signInOf, tokenOrigins } from '@release-task/auth'
import type { App, FastifyReply, FastifyRequest } from '@release-task/http'
import { packagedPage } from '../packaged-page.ts'
import { prefersHtml } from './accept.ts'
import { BuiltPage, type Asset } from './built-page.ts'
import type { HttpDependencies } from './dependencies.ts'
import { queryText } from './page.ts'

/** Where browsers are shown the page (CR-45); the same addresses are the JSON of everybody else. */
const RESOURCES = ['releases', 'tasks', 'task-services', 'studies', 'release-notes']
const ROUTES = new Set([
  '/',
  '/events',
  '/audit',
  ...RESOURCES.flatMap((name) => [`/${name}`, `/${name}/:id`]),
])
/** Where an issuer sends people back to; no JSON is there. */
const SIGNED_IN = '/signed-in'

const FOREVER = 'public, max-age=31536000, immutable' // a year: the name changes with the content
const A_WHILE = 'public, max-age=3600' // 1 h: the name stays

/**
 * The page for people, where one is built (CR-45 to CR-47). Added before the guard: it holds no data, and who is not
 * signed in must see where to. What it asks for goes through the guard like everything else.
 */
export function addPages(app: App, { config, log }: Pick<HttpDependencies, 'config' | 'log'>): void {
  const folder = config.dashboardDir ?? packagedPage()
  if (folder === null) return
  const page = new BuiltPage(folder, log)
  const policyOf = contentPolicy(tokenOrigins(signInOf(config)))
  // Read and compressed now, so that the first person need not wait.
  void page.html()
  app.addHook('onRequest', async (request, reply) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return undefined
    const path = request.url.split('?')[0] ?? '/'
    if (request.is404 && path !== SIGNED_IN) {
      const asset = await page.asset(path)
      return asset && sendAsset(request, reply, asset)
    }
    if (!request.is404 && !isPage(request)) return undefined
    reply.header('vary', 'Accept')
    const html = wantsPage(request) ? await page.html() : null
    if (html === null) return undefined
    const root = rootOf(path, config.publicUrl)
    // Given as a text, a `$` in it would not be a `$`.
    return sendPage(
      reply,
      html.replaceAll('__ROOT__', () => root),
      policyOf,
    )
  })
}

/** A slash at the end is an id without a letter, and that is no path (CR-2). */
function isPage({ routeOptions, params }: FastifyRequest): boolean {
  return ROUTES.has(routeOptions.url ?? '') && (params as { id?: string }).id !== ''
}

/** `?format=json` is JSON whatever the header says (CR-3), and so are JSON lines; `.json` is a route of its own. */
function wantsPage(request: FastifyRequest): boolean {
  const isData = /^jsonl?$/.test(queryText(request, 'format') ?? '')
  return !isData && prefersHtml(request.headers.accept)
}

/**
 * Where the page finds the root of the coordinator, for `__ROOT__` in `index.html`: relative to the path that is asked
 * for, because a proxy may have cut off the beginning of it, and nobody says so. At the root itself a browser may or may
 * not have written the slash after that beginning; only `PUBLIC_URL` knows it.
 */
function rootOf(path: string, publicUrl: string | null): string {
  const depth = path.split('/').length - 2
  if (depth > 0) return '../'.repeat(depth)
  const { pathname } = path === '/' && publicUrl !== null ? new URL(publicUrl) : { pathname: '/' }
  return pathname === '/' ? './' : pathname.replace(/\/*$/, '/').replaceAll('&', '&amp;')
}

type PolicyOf = (nonce: string) => string

function sendPage(reply: FastifyReply, html: string, policyOf: PolicyOf): FastifyReply {
  const nonce = randomBytes(18).toString('base64url')
  reply.header('content-security-policy', policyOf(nonce)).header('cache-control', 'no-store')
  return reply.type('text/html; charset=utf-8').send(html.replaceAll('__NONCE__', nonce))
}

/** Scripts of the build alone, and styles that carry the nonce of this answer (CR-47). */
function contentPolicy(connect: readonly string[]): PolicyOf {
  return (nonce) =>
    [
      `default-src 'none'`,
      `script-src 'self'`,
      `style-src 'self' 'nonce-${nonce}'`,
      `img-src 'self' data:`,
      `font-src 'self'`,
      ['connect-src', `'self'`, ...connect].join(' '),
      `base-uri 'none'`,
      `form-action 'none'`,
      `frame-ancestors 'none'`,
    ].join('; ')
}

/** A file of the build (CR-46); exactly what was found in the folder, by exactly that name. */
function sendAsset(request: FastifyRequest, reply: FastifyReply, { type, bytes, gzip }: Asset): FastifyReply {
  reply.header('cache-control', request.url.startsWith('/assets/') ? FOREVER : A_WHILE).type(type)
  if (gzip === null) return reply.send(bytes)
  reply.header('vary', 'Accept-Encoding')
  if (!takesGzip(request.headers['accept-encoding'])) return reply.send(bytes)
  return reply.header('content-encoding', 'gzip').send(gzip)
}

function takesGzip(header: string | string[] | undefined): boolean {
  const codings = String(header ?? '')
    .toLowerCase()
    .split(',')
    .map((one) => /^\s*(gzip|\*)\s*(?:;\s*q=([\d.]+))?\s*$/.exec(one))
  const found = codings.find((one) => one?.[1] === 'gzip') ?? codings.find((one) => one?.[1] === '*')
  return !!found && Number(found[2] ?? 1) > 0
}
