import type { Desk } from './desk.ts'
import { idIn, type Release, type Service, type Task, type Waiting } from './documents.ts'
import { CommandError } from './errors.ts'
import { holdingUp, reasonLines, reasonOf, releaseSentence, type ServiceWord } from './sentences.ts'

const TIMEOUT_MS = 3 * 1000 // 3 s: a service that is away is what is looked for
const MOST_ASKED = 20

/** `releases why`: one sentence for the release, and one for each task that holds it up, with the last errors. */
export async function why(desk: Desk, id: string): Promise<void> {
  const look = 'release-task releases list'
  const release = await desk.coordinator.ask<Release>(`/releases/${id}`, { look })
  const held = holdingUp(release)
  const words = await Promise.all(held.slice(0, MOST_ASKED).map((task) => askService(desk, task)))
  const { kf_id, state, reason, waiting_for } = release
  const tasks = held.map((task, at) => reasonOf(task, words[at] ?? null))
  desk.print({ kf_id, state, sentence: releaseSentence(release), reason, waiting_for, tasks }, (document) => [
    document.sentence,
    ...document.tasks.flatMap(reasonLines),
  ])
}

/** A service knows more of its task than the coordinator; one that does not tell is no trouble. */
async function askService(desk: Desk, task: Task): Promise<ServiceWord | null> {
  const service = await desk.coordinator
    .ask<Service>(`/task-services/${idIn(task.task_service)}`)
    .catch(() => null)
  if (service === null) return null
  try {
    const side = desk.service(service.url, 'viewer')
    return wordOf(await side.ask(`/tasks/${task.kf_id}`, { timeoutMs: TIMEOUT_MS }))
  } catch (error) {
    const isAway = error instanceof CommandError && error.code === 'NOT_REACHABLE'
    return isAway ? { unreachable: `${error.message} (from here)` } : null
  }
}

/** What a service of this project says of its task (SV-17); null where another one says something else. */
function wordOf(answer: {
  readonly waiting_for?: Waiting | null
  readonly last_error?: unknown
}): ServiceWord | null {
  const { waiting_for = null, last_error = null } = answer
  if (waiting_for !== null && typeof waiting_for.what !== 'string') return null
  const { message = null } = (last_error ?? {}) as { message?: string | null }
  return { waiting_for, last_error: typeof message === 'string' ? message : null }
}
