import { addGauge, addStateGauge, Counter, Histogram, isUp, Registry } from '@release-task/http'
import type { Queue } from '@release-task/queue'
import type { Outbox } from './outbox.ts'
import type { TaskStore } from './store.ts'
import type { WorkObserver } from './worker.ts'

const SECONDS = [0.1, 1, 10, 60, 300, 1800, 7200, 43_200] // up to 12 h

interface Sources {
  readonly ping: () => Promise<void>
  readonly store: Pick<TaskStore, 'countByState' | 'oldestDueMs'>
  readonly outbox: Pick<Outbox, 'waiting'>
  readonly queue: Pick<Queue, 'health'>
}

export interface Metrics extends WorkObserver {
  readonly registry: Registry
  refusedLate(): void
}

/** What `/metrics` shows of a task service; docs/operating.md says what each one means for whoever is on call. */
export function createMetrics(sources: Sources): Metrics {
  const registry = new Registry()
  addGauges(registry, sources)
  return { registry, ...addCounters(registry) }
}

function addGauges(registry: Registry, { ping, store, outbox, queue }: Sources): void {
  addStateGauge(registry, 'release_task_tasks', 'Tasks by state', () => store.countByState())
  const gauge = (name: string, help: string, read: () => Promise<number> | number) =>
    addGauge(registry, `release_task_${name}`, help, read)
  gauge('oldest_due_seconds', 'How long the oldest work is due that nobody does', async () => {
    return (await store.oldestDueMs()) / 1000
  })
  gauge('reports_waiting', 'Reports that the coordinator has not taken', async () => {
    return (await outbox.waiting()).count
  })
  gauge('oldest_report_seconds', 'Age of the oldest report that the coordinator has not taken', async () => {
    return (await outbox.waiting()).oldestMs / 1000
  })
  gauge('database_up', '1: the database answers; 0: nothing can be taken or done', () => isUp(ping))
  gauge('queue_up', '1: the queue answers; 0: work is found by sweeps alone', () => {
    return queue.health() === 'ok' ? 1 : 0
  })
}

function addCounters(registry: Registry): Omit<Metrics, 'registry'> {
  const counter = (name: string, help: string, ...labelNames: string[]) =>
    new Counter({ name: `release_task_${name}_total`, help, labelNames, registers: [registry] })
  const late = counter('late_reports', 'Reports refused because their attempt no longer held the task')
  const losses = counter('lease_losses', 'Work that was stopped because another worker had taken it over')
  const retries = counter('retries', 'Failures of the task that are tried again', 'work')
  const durations = new Histogram({
    name: 'release_task_work_seconds',
    help: 'How long stage, publish and discard took',
    labelNames: ['work', 'outcome'],
    buckets: SECONDS,
    registers: [registry],
  })
  return {
    refusedLate: () => late.inc(),
    leaseLost: () => losses.inc(),
    retried: (work) => retries.inc({ work }),
    ended: (work, outcome, seconds) => durations.observe({ work, outcome }, seconds),
  }
}
