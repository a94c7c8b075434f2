import swagger from '@fastify/swagger'
import Fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type RawServerDefault,
} from 'fastify'
import { jsonSchemaTransform, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from './logger.ts'

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
  /** Bytes of a request body. */
  readonly bodyLimit?: number
}

/**
 * The HTTP application both sides begin with: Zod validates and documents every route, `/openapi.json` shows it.
 * It opens no port; tests call it with `inject`.
 */
export async function createApp(options: AppOptions): Promise<App> {
  const app = Fastify({
    loggerInstance: baseLogger(options.logger),
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: options.bodyLimit ?? 1024 * 1024, // 1 MiB
    // Services may be registered with a slash at the end; then "//tasks" arrives (SV-5).
    routerOptions: { ignoreDuplicateSlashes: true },
    onProtoPoisoning: 'remove',
    onConstructorPoisoning: 'remove',
    forceCloseConnections: 'idle',
    requestTimeout: 60 * 1000, // 60 s for a whole request to arrive
    // What the router itself refuses (a broken percent-encoding, an endless id) is answered like everything else.
    frameworkErrors: (error, request, reply) => reply.server.errorHandler(error, request, reply),
  }).withTypeProvider<ZodTypeProvider>()
  app.setValidatorCompiler(validatorCompiler)
  // Answers are checked by the compiler, not at every request: validating them halved the rate of reads.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data))
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
