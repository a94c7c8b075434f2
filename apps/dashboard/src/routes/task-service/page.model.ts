import { withQuery } from '../../api.ts'
import type { TaskService } from '../../api-types.ts'

const LAST = 20

/** The last tasks of a service. Pure. */
export function lastTasksPath(id: string): string {
  return withQuery('/tasks', { task_service: id, limit: LAST })
}

/** What enabling or disabling will do. Pure. */
export function switchMeaning({ name, enabled }: Pick<TaskService, 'name' | 'enabled'>): string {
  return enabled
    ? `${name} gets no task in releases that begin from now on. Releases that are under way go on with it.`
    : `${name} gets a task in every release that begins from now on.`
}
