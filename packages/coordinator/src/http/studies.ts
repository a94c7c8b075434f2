import type { App } from '@release-task/http'
import { CoordinatorError } from '../errors.ts'
import type { Study } from '../study-store.ts'
import { syncStudies } from '../study-sync.ts'
import type { Asked } from '../execute.ts'
import { askedBy } from './asked.ts'
import type { HttpDependencies } from './dependencies.ts'
import { linksOf } from './links.ts'
import { envelope, queryText, windowOf } from './page.ts'
import { notFound, Problem } from './problem.ts'
import { page, show } from './releases.ts'
import { studyView } from './views.ts'

type ById = { Params: { id: string } }

/** `/studies` (CR-38 to CR-41). */
export function addStudies(app: App, deps: HttpDependencies): void {
  app.get('/studies', async (request) => {
    const window = windowOf(request)
    const { count, results } = await deps.studies.list(window)
    const views = await Promise.all(results.map((study) => view(deps, study)))
    return envelope(request, linksOf(request, deps.config.publicUrl).base, { count, results: views }, window)
  })
  app.get<ById>('/studies/:id', async (request) => view(deps, await find(deps, request.params.id)))
  app.get<ById>('/studies/:id/releases', async (request) => {
    const { id } = await find(deps, request.params.id)
    const window = windowOf(request)
    return page(deps, request, await deps.releases.listOfStudy(id, window), window)
  })
  app.get<{ Params: { id: string; release: string } }>('/studies/:id/releases/:release', async (request) => {
    const { id } = await find(deps, request.params.id)
    const release = await deps.releases.get(request.params.release)
    if (!release?.studies.includes(id)) throw notFound()
    return show(deps, request, release)
  })
  app.post('/studies/sync', async (request) =>
    synchronise(deps, queryText(request, 'force') === 'true', askedBy(request)),
  )
}

async function find(deps: HttpDependencies, id: string): Promise<Study> {
  const study = await deps.studies.get(id)
  if (!study) throw notFound()
  return study
}

async function view(deps: HttpDependencies, study: Study) {
  const [newest, published] = await Promise.all([
    deps.releases.newestOfStudy(study.id, null),
    deps.releases.newestOfStudy(study.id, 'published'),
  ])
  return studyView(study, { newest, published })
}

const DONE = 'Synchronized with dataservice'
const TROUBLE = 'There was an error getting studies from the dataservice'

async function synchronise(deps: HttpDependencies, force: boolean, by: Asked) {
  const done = (created: number, deleted: number) => ({ status: 'ok', new: created, deleted, message: DONE })
  if (!deps.studySource) return done(0, 0)
  try {
    const { created, deleted } = await syncStudies(deps.studies, deps.studySource, force, by)
    return done(created, deleted)
  } catch (error) {
    if (!(error instanceof CoordinatorError)) throw error
    deps.log.warn({ err: error }, 'study synchronisation failed')
    if (error.code === 'SYNC_REFUSED') throw new Problem(409, { status: 'error', message: error.message })
    // What the Data Service answered is passed on; where it did not answer, it is a bad gateway (F-60).
    throw new Problem(error.status !== null && error.status >= 400 ? error.status : 502, {
      status: 'error',
      message: TROUBLE,
    })
  }
}
