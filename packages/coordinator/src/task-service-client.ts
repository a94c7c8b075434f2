import {
  AddressRefused,
  createOutgoing,
  request,
  TransportError,
  type Answer,
  type Logger,
  type OutgoingRules,
} from '@release-task/http'
import type { Action } from '@release-task/protocol'

/** The body of `POST /tasks`, by its wire names (SV-6). */
export interface ActionBody {
  readonly action: Action
  readonly task_id: string
  readonly release_id: string
  readonly studies?: readonly string[]
}

/** What the coordinator asks of a task service; each call is one try. @throws TransportError */
export interface TaskServiceClient {
  act(serviceUrl: string, body: ActionBody, signal?: AbortSignal): Promise<Answer>
  status(serviceUrl: string, signal?: AbortSignal): Promise<Answer>
}

/** Whom the coordinator may call, and where it says whom it did not. */
export interface CallRules extends OutgoingRules {
  readonly log: Logger
}

/**
 * Addresses are joined as the original joins them: a slash at the end of a registered one stays (SV-5). Each is checked
 * at every connection (CR-30): what is refused fails as what cannot be reached, and only the log says why.
 * @param send with the coordinator's token, where it has one; `/status` is asked without (CR-29)
 */
export function createTaskServiceClient(
  timeoutMs: number,
  send: typeof request,
  { log, ...rules }: CallRules,
): TaskServiceClient {
  const outgoing = createOutgoing(rules)
  const bounds = (signal?: AbortSignal) => ({ timeoutMs, outgoing, ...(signal ? { signal } : {}) })
  const said = (answer: Promise<Answer>) => answer.catch((error: unknown) => tellRefused(log, error))
  return {
    act: (serviceUrl, body, signal) =>
      said(send(`${serviceUrl}/tasks`, { method: 'POST', body, ...bounds(signal) })),
    status: (serviceUrl, signal) => said(request(`${serviceUrl}/status`, bounds(signal))),
  }
}

function tellRefused(log: Logger, error: unknown): never {
  if (error instanceof TransportError && error.cause instanceof AddressRefused)
    log.warn({ reason: error.cause.message }, error.message)
  throw error
}
