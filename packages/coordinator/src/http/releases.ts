import { authorOf, callerOn } from '@release-task/auth'
import type { App, FastifyRequest } from '@release-task/http'
import { newId, type ReleaseId, type StudyId } from '@release-task/protocol'
import { z } from 'zod'
import type { Refusal, ReleaseFields } from '../decision.ts'
import type { ReleaseNote } from '../note-store.ts'
import { policyOf } from '../policy.ts'
import type { ReleaseRecord } from '../record.ts'
import { askedBy } from './asked.ts'
import type { HttpDependencies } from './dependencies.ts'
import { blankText, bodyOf, bool, list, parseBody, text } from './fields.ts'
import { linksOf } from './links.ts'
import { envelope, queryText, windowOf } from './page.ts'
import { conflict, invalid, notFound, Problem } from './problem.ts'
import { releaseView, type ViewNow } from './views.ts'

const fields = z.object({
  name: text(256),
  description: blankText(5000).optional(),
  studies: list(z.string({ error: 'Not a valid string.' }), 'Must have at least one study'),
  tags: list(text(50)).optional(),
  author: text(100).optional(),
  is_major: bool.optional(),
})
const someFields = fields.partial()
const LISTS = ['studies', 'tags']
type Body = z.output<typeof someFields>

type ById = { Params: { id: string } }

/** `/releases` (CR-17 to CR-22). */
export function addReleases(app: App, deps: HttpDependencies): void {
  app.get('/releases', async (request) => {
    const window = windowOf(request)
    const filter = {
      state: queryText(request, 'state'),
      author: queryText(request, 'author'),
      name: queryText(request, 'name'),
      study: queryText(request, 'study'),
    }
    return page(deps, request, await deps.releases.list(filter, window), window)
  })
  app.post('/releases', async (request, reply) => {
    const release = await create(deps, request, parseBody(fields, bodyOf(request, LISTS)))
    return reply.status(201).send(await show(deps, request, release))
  })
  app.get<ById>('/releases/:id', async (request) => show(deps, request, await find(deps, request.params.id)))
  app.put<ById>('/releases/:id', (request) => edit(deps, request, fields))
  app.patch<ById>('/releases/:id', (request) => edit(deps, request, someFields))
  app.delete<ById>('/releases/:id', async (request) => {
    const release = await deps.releases.get(request.params.id)
    // The only unknown id that is answered with an empty body.
    if (!release) throw new Problem(404, {})
    const { record } = await deps.execute(release.id, { type: 'cancel' }, askedBy(request))
    return show(deps, request, record ?? release)
  })
  app.post<ById>('/releases/:id/publish', async (request) => {
    const { id } = await find(deps, request.params.id)
    const { decision } = await deps.execute(id, { type: 'publish' }, askedBy(request))
    if (decision.kind === 'refused') throw problemOf(decision.refusal)
    return { message: 'publishing' }
  })
  app.post('/releases/status_checks', async () => {
    const count = await deps.releases.countActive()
    await deps.monitor.lookAtReleases()
    return { status: 'ok', message: `${count} releases to check` }
  })
}

/** A page of releases, wherever they were listed from. */
export async function page(
  deps: HttpDependencies,
  request: FastifyRequest,
  found: { readonly count: number; readonly results: readonly ReleaseRecord[] },
  window: { readonly limit: number; readonly offset: number },
) {
  const links = linksOf(request, deps.config.publicUrl)
  const parts = await sharedParts(deps, found.results)
  const results = await Promise.all(found.results.map((release) => view(deps, request, release, parts)))
  return envelope(request, links.base, { count: found.count, results }, window)
}

/** Read once for each answer, so that all its objects are of one moment. */
export async function viewNow({ services, releases, config }: HttpDependencies): Promise<ViewNow> {
  const [all, now] = await Promise.all([services.all(), releases.now()])
  return { names: new Map(all.map(({ id, name }) => [id, name])), now, policy: policyOf(config) }
}

/** What is read once for all releases that are shown together. */
interface SharedParts extends ViewNow {
  readonly notesOf: ReadonlyMap<ReleaseId, readonly ReleaseNote[]>
}

async function sharedParts(deps: HttpDependencies, shown: readonly ReleaseRecord[]): Promise<SharedParts> {
  const [now, notesOf] = await Promise.all([
    viewNow(deps),
    deps.notes.ofReleases(shown.map((release) => release.id)),
  ])
  return { ...now, notesOf }
}

async function view(
  deps: HttpDependencies,
  request: FastifyRequest,
  release: ReleaseRecord,
  { notesOf, ...now }: SharedParts,
) {
  const rows = await deps.outbox.ofRelease(release.id)
  const notes = notesOf.get(release.id) ?? []
  return releaseView(release, { ...now, links: linksOf(request, deps.config.publicUrl), rows, notes })
}

export async function show(deps: HttpDependencies, request: FastifyRequest, release: ReleaseRecord) {
  return view(deps, request, release, await sharedParts(deps, [release]))
}

async function find(deps: HttpDependencies, id: string): Promise<ReleaseRecord> {
  const release = await deps.releases.get(id)
  if (!release) throw notFound()
  return release
}

/** A refusal of `decide` in the words of HTTP. */
export function problemOf(refusal: Refusal): Problem {
  if (refusal.code === 'NOT_FOUND') return notFound()
  if (refusal.code === 'STATE_CONFLICT') return conflict(refusal.message)
  return invalid(refusal.field === 'isMajor' ? 'is_major' : refusal.field, refusal.message)
}

/** @throws Problem 400 for a study that does not exist */
async function knownStudies(deps: HttpDependencies, ids: readonly string[]): Promise<StudyId[]> {
  const found = await Promise.all(ids.map((id) => deps.studies.get(id)))
  const unknown = ids
    .filter((_, index) => !found[index])
    .map((id) => `Invalid pk "${id}" - object does not exist.`)
  if (unknown.length > 0) throw invalid('studies', ...unknown)
  return [...new Set(ids)] as StudyId[]
}

async function toFields(deps: HttpDependencies, body: Body): Promise<Partial<ReleaseFields>> {
  return {
    ...(body.name === undefined ? {} : { name: body.name }),
    ...(body.description === undefined ? {} : { description: body.description }),
    ...(body.studies === undefined ? {} : { studies: await knownStudies(deps, body.studies) }),
    ...(body.tags === undefined ? {} : { tags: body.tags }),
    ...(body.author === undefined ? {} : { author: body.author }),
    ...(body.is_major === undefined ? {} : { isMajor: body.is_major }),
  }
}

async function create(
  deps: HttpDependencies,
  request: FastifyRequest,
  body: z.output<typeof fields>,
): Promise<ReleaseRecord> {
  const given = await toFields(deps, body)
  const defaults = { description: '', tags: [], author: 'admin', isMajor: false }
  // Once callers are known nobody signs with another's name (F-59).
  const author = authorOf(callerOn(request))
  const whole = { ...defaults, ...given, ...(author === null ? {} : { author }) } as ReleaseFields
  const id = await freeId(deps)
  // Asked again at each try: of two that are created at the same time, the second one is warned (RC-4).
  const { record } = await deps.execute(
    id,
    async () => {
      const overlapping = await deps.releases.underWay(whole.studies)
      return { type: 'create', id, fields: whole, overlapping }
    },
    askedBy(request, whole),
  )
  if (!record) throw new Error(`Release ${id} was not created`)
  return record
}

async function freeId(deps: HttpDependencies): Promise<ReleaseId> {
  for (;;) {
    const id = newId('RE', deps.random)
    if (!(await deps.releases.get(id))) return id
  }
}

async function edit(
  deps: HttpDependencies,
  request: FastifyRequest<ById>,
  schema: typeof fields | typeof someFields,
) {
  const { id, author } = await find(deps, request.params.id)
  const body: Body = parseBody(schema, bodyOf(request, LISTS))
  // Not even before the release begins: it would be another's name (F-59).
  if (authorOf(callerOn(request)) !== null && (body.author ?? author) !== author)
    throw invalid('author', 'This field may not be changed: it is who created the release.')
  const given = await toFields(deps, body)
  const { decision, record } = await deps.execute(
    id,
    { type: 'edit', fields: given },
    askedBy(request, given),
  )
  if (decision.kind === 'refused') throw problemOf(decision.refusal)
  return show(deps, request, record ?? (await find(deps, id)))
}
