import type { CoordinatorConfig } from './config.ts'
import type { Policy } from './decision.ts'

/** The settings that decisions depend on. */
export function policyOf(config: CoordinatorConfig): Policy {
  return {
    actionDeadlineMs: config.actionDeadline,
    publishDeadlineMs: config.publishDeadline,
    taskTimeoutMs: config.taskTimeout,
    releaseTimeoutMs: config.releaseTimeout,
  }
}
