import { isGone } from '@release-task/database'
import type { Logger } from '@release-task/http'
import type { CoordinatorClient } from '../coordinator-client.ts'
import type { Execute } from '../execute.ts'
import type { Outbox } from '../outbox.ts'
import { Reporter } from '../reporter.ts'

export interface DeliveryDependencies {
  readonly outbox: Outbox
  readonly coordinator: CoordinatorClient
  readonly execute: Execute
  readonly random: () => number
  readonly log: Logger
}

/** Delivers, once, every report that is due now: one look of the service's own reporter, without its timers. */
export async function deliverDue(deps: DeliveryDependencies): Promise<void> {
  const { outbox, coordinator, execute, random, log } = deps
  const looked = Promise.withResolvers<void>()
  const { signal } = new AbortController()
  const reporter = new Reporter({
    due: () => outbox.due(isGone),
    // Asked when everything that is due has begun.
    nextDelayMs: async () => (looked.resolve(), null),
    claim: (row) => outbox.claim(row),
    giveBack: (row) => outbox.giveBack(row),
    renew: (row) => outbox.renew(row),
    renewMs: outbox.renewMs,
    reschedule: (row, to) => outbox.reschedule(row, to),
    remove: (row) => outbox.remove(row),
    send: (taskId, report) => coordinator.report(taskId, report, signal),
    read: (taskId) => coordinator.task(taskId, signal),
    tell: async (id, state) => void (await execute(id, { type: 'coordinator_shows', state })),
    refused: async (id, report) => void (await execute(id, { type: 'report_refused', ...report })),
    random,
    log,
  })
  reporter.nudge()
  await looked.promise
  await reporter.stop()
}
