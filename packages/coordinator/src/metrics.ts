import { addGauge, addStateGauge, isUp, Registry } from '@release-task/http'
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
  addStateGauge(registry, 'release_coordinator_releases', 'Releases by state', () => releases.countByState())
  const gauge = (name: string, help: string, read: () => Promise<number> | number) =>
    addGauge(registry, `release_coordinator_${name}`, help, read)
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
