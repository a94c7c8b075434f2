import { Gauge, Registry } from '@release-task/http'
import type { Queue } from '@release-task/queue'
import type { ActionOutbox } from './outbox.ts'
import type { ReleaseStore } from './store.ts'

interface Sources {
  readonly ping: () => Promise<void>
  readonly releases: Pick<ReleaseStore, 'countByState'>
  readonly outbox: Pick<ActionOutbox, 'waiting'>
}

/** What `/metrics` shows of a coordinator; docs/operating.md says what each one means for whoever is on call. */
export function createMetrics({ ping, releases, outbox }: Sources, queue: Pick<Queue, 'health'>): Registry {
  const registry = new Registry()
  new Gauge({
    name: 'release_coordinator_releases',
    help: 'Releases by state',
    labelNames: ['state'],
    registers: [registry],
    async collect() {
      const counts = await releases.countByState().catch(() => [])
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
        this.set(await known(read))
      },
    })
  gauge('actions_waiting', 'Actions that task services have not taken', async () => {
    return (await outbox.waiting()).count
  })
  gauge('oldest_action_seconds', 'How long the oldest action is due that nobody has taken', async () => {
    return (await outbox.waiting()).oldestMs / 1000
  })
  gauge('database_up', '1: the database answers; 0: nothing can be taken or done', () => isUp(ping))
  gauge('queue_up', '1: the queue answers; 0: other instances are not told', () => {
    return queue.health() === 'ok' ? 1 : 0
  })
  return registry
}

/** With the database away the other figures are wanted more than ever. */
async function known(read: () => Promise<number> | number): Promise<number> {
  try {
    return await read()
  } catch {
    return Number.NaN
  }
}

function isUp(ping: () => Promise<void>): Promise<number> {
  return ping().then(
    () => 1,
    () => 0,
  )
}
