import { readFile } from 'node:fs/promises'
import { isId, type StudyId } from '@release-task/protocol'
import { request } from '@release-task/http'
import { z } from 'zod'
import { CoordinatorError } from './errors.ts'
import type { Asked } from './execute.ts'
import type { ListedStudy, Study, StudyStore, SyncPlan } from './study-store.ts'

const TIMEOUT_MS = 15 * 1000 // 15 s a page
const PAGE = 100
const MOST_PAGES = 10_000

const studySchema = z.object({
  kf_id: z.custom<StudyId>((id) => isId('SD', id)),
  name: z.string().nullish(),
  visible: z.boolean().nullish(),
  created_at: z
    .string()
    .refine((text) => !Number.isNaN(Date.parse(text)))
    .nullish(),
})

/** Where studies come from. @throws CoordinatorError */
export type StudySource = () => Promise<ListedStudy[]>

export interface SyncResult {
  readonly created: number
  readonly deleted: number
}

function toStudy({ kf_id, name, visible, created_at }: z.output<typeof studySchema>): ListedStudy {
  return {
    id: kf_id,
    name: name ?? kf_id,
    visible: visible ?? true,
    createdAt: created_at ?? null,
  }
}

/** Studies of a JSON file: a list of objects with `kf_id`, `name`, `visible`, `created_at`. */
export function studiesFromFile(path: string | URL): StudySource {
  return async () => {
    try {
      return z
        .array(studySchema)
        .parse(JSON.parse(await readFile(path, 'utf8')))
        .map(toStudy)
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new CoordinatorError('STUDIES_FILE_INVALID', `Cannot read studies from ${String(path)}: ${why}`, {
        cause,
      })
    }
  }
}

const pageSchema = z.object({
  results: z.array(studySchema),
  total: z.int().nullish(),
  _links: z.object({ next: z.string().nullish() }).nullish(),
})

/**
 * Studies of a Data Service, every page of them, hidden ones too (CR-41). What does not add up is read once more: a
 * list that is short by a few would mark those as deleted (DS-5).
 */
export function studiesFromDataService(baseUrl: string): StudySource {
  return async () => {
    const first = await readAll(baseUrl)
    if (addsUp(first)) return [...first.studies.values()]
    const second = await readAll(baseUrl)
    if (addsUp(second)) return [...second.studies.values()]
    throw new CoordinatorError(
      'DATASERVICE_ANSWER',
      `${baseUrl}/studies lists ${second.studies.size} studies and says that there are ${second.total}`,
    )
  }
}

interface Listing {
  readonly studies: ReadonlyMap<string, ListedStudy>
  /** What the last page says; null where it does not. */
  readonly total: number | null
}

function addsUp({ studies, total }: Listing): boolean {
  return total === null || studies.size === total
}

async function readAll(baseUrl: string): Promise<Listing> {
  const studies = new Map<string, ListedStudy>()
  const seen = new Set<string>()
  let path = withLimit('/studies')
  for (;;) {
    if (seen.size === MOST_PAGES || seen.has(path))
      throw new CoordinatorError(
        'DATASERVICE_ANSWER',
        `GET ${baseUrl}${path}: its pages do not come to an end`,
      )
    seen.add(path)
    const page = await readPage(baseUrl + path)
    for (const study of page.results) studies.set(study.kf_id, toStudy(study))
    const next = page._links?.next
    if (!next) return { studies, total: page.total ?? null }
    path = withLimit(next)
  }
}

/** The link to the next page does not repeat the limit (DS-3). */
function withLimit(path: string): string {
  const [name, query] = path.split('?', 2)
  const parameters = new URLSearchParams(query)
  parameters.set('limit', String(PAGE))
  return `${name}?${parameters.toString()}`
}

async function readPage(url: string): Promise<z.output<typeof pageSchema>> {
  const answer = await request(url, { timeoutMs: TIMEOUT_MS }).catch((cause: unknown) => {
    throw new CoordinatorError('DATASERVICE_ANSWER', cause instanceof Error ? cause.message : String(cause), {
      cause,
    })
  })
  if (answer.status !== 200)
    throw new CoordinatorError('DATASERVICE_ANSWER', `GET ${url} answered ${answer.status}`, {
      status: answer.status,
    })
  const page = pageSchema.safeParse(answer.json)
  if (page.success) return page.data
  throw new CoordinatorError(
    'DATASERVICE_ANSWER',
    `GET ${url} answered something that is not a page of studies`,
  )
}

/** What a sync has to do: unknown ids are put, known ones renewed, missing ones marked as deleted. */
export function planSync(listed: readonly ListedStudy[], known: readonly Study[]): SyncPlan {
  const ids = new Set<string>(listed.map((study) => study.id))
  const knownIds = new Set<string>(known.map((study) => study.id))
  return {
    put: listed,
    created: listed.filter((study) => !knownIds.has(study.id)).length,
    remove: known.filter((study) => !study.deleted && !ids.has(study.id)).map((study) => study.id),
  }
}

/**
 * Brings the studies up to date.
 * @param force also where more than half would be deleted: most likely the source is broken, not the studies gone
 * @throws CoordinatorError
 */
export async function syncStudies(
  store: StudyStore,
  source: StudySource,
  force: boolean,
  by: Asked | null = null,
): Promise<SyncResult> {
  const [listed, known] = [await source(), await store.all()]
  const plan = planSync(listed, known)
  const present = known.filter((study) => !study.deleted).length
  if (!force && plan.remove.length * 2 > present)
    throw new CoordinatorError(
      'SYNC_REFUSED',
      `The synchronisation would delete ${plan.remove.length} of ${present} studies: repeat it with ?force=true if that is right`,
    )
  await store.apply(plan, by)
  return { created: plan.created, deleted: plan.remove.length }
}
