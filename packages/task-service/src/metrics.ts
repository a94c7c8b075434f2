import { Counter, Gauge, Registry } from '@release-task/http'

export interface MetricsSources {
  readonly countByState: () => Promise<ReadonlyMap<string, number>>
  readonly reportsWaiting: () => Promise<{ count: number; oldestMs: number }>
}

/** What `/metrics` shows of a task service, read when it is asked for. */
export function createMetrics(sources: () => MetricsSources) {
  const registry = new Registry()
  const registers = [registry]
  const lateReports = new Counter({
    name: 'release_task_late_reports_total',
    help: 'Reports refused because their attempt no longer held the task',
    registers,
  })
  new Gauge({
    name: 'release_task_tasks',
    help: 'Tasks by state',
    labelNames: ['state'],
    registers,
    async collect() {
      this.reset()
      for (const [state, count] of await sources().countByState()) this.set({ state }, count)
    },
  })
  new Gauge({
    name: 'release_task_reports_waiting',
    help: 'Reports that the coordinator has not taken',
    registers,
    async collect() {
      this.set((await sources().reportsWaiting()).count)
    },
  })
  new Gauge({
    name: 'release_task_oldest_report_seconds',
    help: 'Age of the oldest report that the coordinator has not taken',
    registers,
    async collect() {
      this.set((await sources().reportsWaiting()).oldestMs / 1000)
    },
  })
  return { registry, refusedLate: () => lateReports.inc() }
}
