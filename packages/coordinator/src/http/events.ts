import { callerOn } from '@release-task/auth'
import type { App } from '@release-task/http'
import type { HttpDependencies } from './dependencies.ts'
import { linksOf } from './links.ts'
import { envelope, queryText, windowOf } from './page.ts'
import { notFound } from './problem.ts'
import { eventView } from './views.ts'

/** `/events`, to be read only: history that anyone can write is none (CR-36, CR-37, F-51). */
export function addEvents(app: App, deps: HttpDependencies): void {
  app.get('/events', async (request) => {
    const window = windowOf(request)
    const links = linksOf(request, deps.config.publicUrl)
    const filter = {
      release: queryText(request, 'release'),
      task_service: queryText(request, 'task_service'),
      task: queryText(request, 'task'),
      event_type: queryText(request, 'event_type'),
    }
    const { count, results } = await deps.events.list(filter, window)
    const isAdmin = deps.policy.may(callerOn(request), 'audit.read')
    const views = results.map((event) => eventView(event, links, isAdmin))
    return envelope(request, links.base, { count, results: views }, window)
  })
  app.get<{ Params: { id: string } }>('/events/:id', async (request) => {
    const event = await deps.events.get(request.params.id)
    if (!event) throw notFound()
    const isAdmin = deps.policy.may(callerOn(request), 'audit.read')
    return eventView(event, linksOf(request, deps.config.publicUrl), isAdmin)
  })
}
