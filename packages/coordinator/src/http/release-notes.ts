import { authorOf, callerOn } from '@release-task/auth'
import type { App, FastifyRequest } from '@release-task/http'
import type { ReleaseId, StudyId } from '@release-task/protocol'
import { z } from 'zod'
import type { NoteFields, ReleaseNote } from '../note-store.ts'
import { changeNote, createNote, type NoteFault, type Written } from '../note-writing.ts'
import { askedBy } from './asked.ts'
import type { HttpDependencies } from './dependencies.ts'
import { bodyOf, parseBody, text } from './fields.ts'
import { hyperlink, hyperlinkOrNull, NO_OBJECT } from './hyperlink.ts'
import { linksOf } from './links.ts'
import { envelope, queryText, windowOf } from './page.ts'
import { notFound, Problem, UNKNOWN_CHOICE } from './problem.ts'
import { noteView } from './views.ts'

type ById = { Params: { id: string } }

function bodySchema(publicUrl: string | null) {
  return z.object({
    description: text(5000),
    author: text(100).optional(),
    release: hyperlink('releases', publicUrl),
    study: hyperlinkOrNull('studies', publicUrl).optional(),
  })
}
type Fields = ReturnType<typeof bodySchema>
type SomeFields = ReturnType<Fields['partial']>
type Body = z.output<SomeFields>

/** `/release-notes` (CR-34, CR-35). */
export function addReleaseNotes(app: App, deps: HttpDependencies): void {
  const fields = bodySchema(deps.config.publicUrl)
  const someFields = fields.partial()
  app.get('/release-notes', (request) => list(deps, request))
  app.post('/release-notes', async (request, reply) => {
    const given = toFields(request, parseBody(fields, bodyOf(request)))
    const whole = { author: 'admin', studyId: null, ...given } as NoteFields
    const note = noteOf(await createNote(deps, whole, askedBy(request, whole)))
    return reply.status(201).send(view(deps, request, note))
  })
  app.get<ById>('/release-notes/:id', async (request) => {
    const note = await deps.notes.get(request.params.id)
    if (!note) throw notFound()
    return view(deps, request, note)
  })
  app.put<ById>('/release-notes/:id', (request) => edit(deps, request, fields))
  app.patch<ById>('/release-notes/:id', (request) => edit(deps, request, someFields))
  app.delete<ById>('/release-notes/:id', async (request, reply) => {
    if (!(await deps.notes.remove(request.params.id, askedBy(request)))) throw notFound()
    return reply.status(204).send()
  })
}

async function list(deps: HttpDependencies, request: FastifyRequest) {
  const window = windowOf(request)
  const filter = {
    author: queryText(request, 'author'),
    release: queryText(request, 'release'),
    study: queryText(request, 'study'),
  }
  await checkChoices(deps, filter)
  const { count, results } = await deps.notes.list(filter, window)
  const links = linksOf(request, deps.config.publicUrl)
  return envelope(
    request,
    links.base,
    { count, results: results.map((note) => noteView(note, links)) },
    window,
  )
}

/** @throws Problem 400 for each filter that names something unknown */
async function checkChoices(
  { releases, studies }: HttpDependencies,
  { release, study }: { readonly release: string | null; readonly study: string | null },
): Promise<void> {
  const unknown = {
    ...(release && !(await releases.get(release)) ? { release: [UNKNOWN_CHOICE] } : {}),
    ...(study && !(await studies.get(study)) ? { study: [UNKNOWN_CHOICE] } : {}),
  }
  if (Object.keys(unknown).length > 0) throw new Problem(400, unknown)
}

async function edit(deps: HttpDependencies, request: FastifyRequest<ById>, schema: Fields | SomeFields) {
  const { id } = request.params
  // An unknown id is 404 whatever the body says.
  if (!(await deps.notes.get(id))) throw notFound()
  const body: Body = parseBody(schema, bodyOf(request))
  const given = toFields(request, body)
  const written = await changeNote(deps, id, given, askedBy(request, given))
  if (!written) throw notFound()
  return view(deps, request, noteOf(written))
}

/** What a body gives; what it leaves out stays (CR-16). */
function toFields(
  request: FastifyRequest,
  { description, author, release, study }: Body,
): Partial<NoteFields> {
  return {
    ...(description === undefined ? {} : { description }),
    ...authorGiven(request, author),
    ...(release === undefined ? {} : { releaseId: release as ReleaseId }),
    ...(study === undefined ? {} : { studyId: study as StudyId | null }),
  }
}

/** Once callers are known nobody signs with another's name: who writes a note is its author, and stays it (F-59). */
function authorGiven(
  request: FastifyRequest,
  author: string | undefined,
): Pick<NoteFields, 'author'> | object {
  const caller = authorOf(callerOn(request))
  if (caller !== null) return request.method === 'POST' ? { author: caller } : {}
  return author === undefined ? {} : { author }
}

/** @throws Problem 400 on the fields that are at fault */
function noteOf(written: Written): ReleaseNote {
  if (written.kind === 'written') return written.note
  const word = ({ code, message }: NoteFault) => [code === 'UNKNOWN' ? NO_OBJECT : message]
  throw new Problem(400, Object.fromEntries(written.faults.map((fault) => [fault.field, word(fault)])))
}

function view(deps: HttpDependencies, request: FastifyRequest, note: ReleaseNote) {
  return noteView(note, linksOf(request, deps.config.publicUrl))
}
