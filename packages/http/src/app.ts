import swagger from '@fastify/swagger'
import Fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type RawServerDefault,
} from 'fastify'
import { jsonSchemaTransform, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { addLimits, MOST_BODY_BYTES, MOST_HEAD_BYTES } from './limits.ts'
import type { Logger } from './logger.ts'
import { refusalOf, refuseConnection, type ErrorBody } from './refusals.ts'
import { SECURITY_HEADERS } from './security-headers.ts'
import { endUnusedConnections } from './unused-connections.ts'

export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>

export interface AppOptions {
  readonly title: string
  readonly version: string
  readonly logger: Logger
  /** Bytes of a request body; 1 MiB where it is not given. */
  readonly bodyLimit?: number
  /** Requests per second of one address; any number where it is 0 or not given. */
  readonly rateLimit?: number
  /** Origins whose pages may read answers; none where it is not given. */
  readonly corsOrigins?: readonly string[] | null
  /** Addresses of proxies whose `X-Forwarded-*` are believed, with commas; nobody's where it is not given. */
  readonly trustProxy?: string | null
  /** Makes the body of a refusal that no route has a part in. */
  readonly errorBody?: ErrorBody
}

const SERVER = {
  maxHeaderSize: MOST_HEAD_BYTES,
  headersTimeout: 15 * 1000, // 15 s for the headers to arrive
  connectionsCheckingInterval: 5 * 1000, // 5 s
  // Node would answer without a body that says what is missing.
  requireHostHeader: false,
} as const

/**
 * The HTTP application both sides begin with: Zod validates and documents every route, `/openapi.json` shows it.
 * It opens no port; tests call it with `inject`.
 */
export async function createApp(options: AppOptions): Promise<App> {
  const { errorBody = (code, message) => ({ message, code }) } = options
  const app = Fastify({
    ...(options.trustProxy ? { trustProxy: options.trustProxy } : {}),
    loggerInstance: baseLogger(options.logger),
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: options.bodyLimit ?? MOST_BODY_BYTES,
    http: SERVER,
    // Services may be registered with a slash at the end; then "//tasks" arrives (SV-5).
    routerOptions: { ignoreDuplicateSlashes: true },
    // No database holds a NUL, and PostgreSQL fails on being asked for one: this character matches nothing either.
    rewriteUrl: (request) => (request.url ?? '/').replaceAll('%00', '%EF%BF%BD'),
    onProtoPoisoning: 'remove',
    onConstructorPoisoning: 'remove',
    forceCloseConnections: 'idle',
    requestTimeout: 60 * 1000, // 60 s for a whole request to arrive
    // What the router itself refuses (a broken percent-encoding, an endless id) is answered like everything else.
    frameworkErrors: (error, request, reply) =>
      reply.server.errorHandler(error, request, reply.headers(SECURITY_HEADERS)),
    clientErrorHandler: (error, socket) => {
      const refusal = refusalOf(error)
      if (refusal) refuseConnection(socket, refusal, errorBody)
      else socket.destroy()
    },
  }).withTypeProvider<ZodTypeProvider>()
  app.setValidatorCompiler(validatorCompiler)
  // Answers are checked by the compiler, not at every request: validating them halved the rate of reads.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data))
  addLimits(app, {
    rateLimit: options.rateLimit ?? 0,
    corsOrigins: options.corsOrigins ?? [],
    errorBody,
  })
  endUnusedConnections(app)
  await app.register(swagger, {
    openapi: { openapi: '3.1.0', info: { title: options.title, version: options.version } },
    transform: jsonSchemaTransform,
  })
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
  return app
}

/** Fastify is told the least that it needs of a logger, so that `App` does not depend on which one it is. */
function baseLogger(logger: Logger): FastifyBaseLogger {
  return logger
}
