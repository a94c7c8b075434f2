import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { App } from './app.ts'

export { Counter, Gauge, Histogram, Registry } from 'prom-client'

/** Serves `/metrics` in the Prometheus text format, with the process's own figures beside the given ones. */
export function serveMetrics(app: App, registry: Registry): void {
  collectDefaultMetrics({ register: registry })
  app.get('/metrics', { schema: { hide: true } }, async (_request, reply) => {
    return reply.type(registry.contentType).send(await registry.metrics())
  })
}

type Read = () => Promise<number> | number

/** A figure that is read when it is asked for; NaN where it cannot be read: the others are wanted all the more then. */
export function addGauge(registry: Registry, name: string, help: string, read: Read): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    async collect() {
      this.set(
        await Promise.resolve()
          .then(read)
          .catch(() => Number.NaN),
      )
    },
  })
}

/** How many there are by state; none is shown where they cannot be counted. */
export function addStateGauge(
  registry: Registry,
  name: string,
  help: string,
  count: () => Promise<ReadonlyMap<string, number>>,
): void {
  new Gauge({
    name,
    help,
    labelNames: ['state'],
    registers: [registry],
    async collect() {
      const counts = await count().catch(() => new Map<string, number>())
      this.reset()
      for (const [state, number] of counts) this.set({ state }, number)
    },
  })
}

/** 1 where it answers, 0 where it does not. */
export function isUp(ping: () => Promise<void>): Promise<number> {
  return ping().then(
    () => 1,
    () => 0,
  )
}
