import type { App, FastifyReply } from '@release-task/http'
import { statusAnswerSchema } from '@release-task/protocol'
import { z } from 'zod'
import type { HttpDependencies } from './http-dependencies.ts'
import { errorSchema, refuse } from './http-errors.ts'

/** What a coordinator asks before it registers a service, and from time to time (SV-1). */
export function addStatus(app: App, deps: HttpDependencies): void {
  app.get(
    '/status',
    { schema: { response: { 200: statusAnswerSchema, 503: errorSchema } } },
    async (_, reply) => {
      if (!(await isReady(deps))) return notReady(deps, reply)
      return { name: deps.name, message: 'ready', version: deps.version }
    },
  )
}

/** Whether the process lives, and whether it can work (SV-20). Without its queue it can: `degraded` is no outage. */
export function addHealth(app: App, deps: HttpDependencies): void {
  const ready = z.object({ status: z.enum(['ok', 'degraded']), queue: z.enum(['ok', 'degraded']) })
  app.get('/livez', { schema: { response: { 200: z.object({ status: z.literal('ok') }) } } }, async () => {
    return { status: 'ok' as const }
  })
  app.get('/readyz', { schema: { response: { 200: ready, 503: errorSchema } } }, async (_, reply) => {
    if (!(await isReady(deps))) return notReady(deps, reply)
    const queue = deps.queueHealth()
    return { status: queue, queue }
  })
}

async function isReady(deps: HttpDependencies): Promise<boolean> {
  if (deps.stopping.aborted) return false
  return deps.ping().then(
    () => true,
    () => false,
  )
}

function notReady({ stopping }: HttpDependencies, reply: FastifyReply) {
  return stopping.aborted
    ? refuse(reply, 503, 'SHUTTING_DOWN', 'The service is stopping and takes no action')
    : refuse(reply, 503, 'STORE_UNAVAILABLE', 'The database does not answer; the service takes no action')
}
