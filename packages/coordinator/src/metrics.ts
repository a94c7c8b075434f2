import { Gauge, Registry } from '@release-task/http'
import type { Queue } from '@release-task/queue'
import type { ActionOutbox } from './outbox.ts'
import type { ReleaseStore } from './store.ts'

interface Sources {
  readonly releases: Pick<ReleaseStore, 'countByState'>
  readonly outbox: Pick<ActionOutbox, 'waiting'>
}

/** What `/metrics` shows of a coordinator; docs/operating.md says what each one means for whoever is on call. */
export function createMetrics({ releases, outbox }: Sources, queue: Pick<Queue, 'health'>): Registry {
  const registry = new Registry()
  new Gauge({
    name: 'release_coordinator_releases',
    help: 'Releases by state',
    labelNames: ['state'],
    registers: [registry],
    async collect() {
      const counts = await releases.countByState()
      this.reset()
      for (const [state, count] of counts) this.set({ state }, count)
    },
  })
  const gauge = (name: string, help: string, read: () => Promise<number> | number) =>
    new Gauge({
      name: `release_coordinator_${name}`,
      help,
      registers: [registry],
      async collect() {
        this.set(await read())
      },
    })
  gauge('actions_waiting', 'Actions that task services have not taken', async () => {
    return (await outbox.waiting()).count
  })
  gauge('oldest_action_seconds', 'How long the oldest action is due that nobody has taken', async () => {
    return (await outbox.waiting()).oldestMs / 1000
  })
  gauge('queue_up', '1: the queue answers; 0: other instances are not told', () => {
    return queue.health() === 'ok' ? 1 : 0
  })
  return registry
}
