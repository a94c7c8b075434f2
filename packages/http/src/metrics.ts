import { collectDefaultMetrics, Registry } from 'prom-client'
import type { App } from './app.ts'

export { Counter, Gauge, Histogram, Registry } from 'prom-client'

/** Serves `/metrics` in the Prometheus text format, with the process's own figures beside the given ones. */
export function serveMetrics(app: App, registry: Registry): void {
  collectDefaultMetrics({ register: registry })
  app.get('/metrics', { schema: { hide: true } }, async (_request, reply) => {
    return reply.type(registry.contentType).send(await registry.metrics())
  })
}
