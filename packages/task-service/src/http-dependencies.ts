import type { Policy, Verifier } from '@release-task/auth'
import type { AppOptions, Logger, Registry } from '@release-task/http'
import type { Execute } from './execute.ts'
import type { OutboxRow } from './outbox.ts'
import type { TaskStore } from './store.ts'

/** What the routes are made of; they know no SQL and no rules. */
export interface HttpDependencies {
  readonly name: string
  readonly version: string
  readonly execute: Execute
  readonly store: Pick<TaskStore, 'load' | 'list' | 'eventsAfter' | 'newestEvents'>
  readonly report: (taskId: string) => Promise<OutboxRow | null>
  readonly policy: { readonly stageRetryForMs: number }
  /** Null where nothing checks who calls. */
  readonly verifier: Verifier | null
  readonly access: Policy
  readonly ping: () => Promise<void>
  readonly queueHealth: () => 'ok' | 'degraded'
  /** Aborts when the service begins to stop: it then takes no action any more. */
  readonly stopping: AbortSignal
  /** What callers are limited to, and from which origins. */
  readonly limits: Pick<AppOptions, 'rateLimit' | 'corsOrigins'>
  readonly registry: Registry
  readonly log: Logger
}
