import { request, type Answer } from '@release-task/http'
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

/** Addresses are joined as the original joins them: a slash at the end of a registered one stays (SV-5). */
export function createTaskServiceClient(timeoutMs: number): TaskServiceClient {
  const bounds = (signal?: AbortSignal) => (signal ? { timeoutMs, signal } : { timeoutMs })
  return {
    act: (serviceUrl, body, signal) =>
      request(`${serviceUrl}/tasks`, { method: 'POST', body, ...bounds(signal) }),
    status: (serviceUrl, signal) => request(`${serviceUrl}/status`, bounds(signal)),
  }
}
