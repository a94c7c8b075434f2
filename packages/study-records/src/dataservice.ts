import { getJson, PATIENCE, type Patience } from './patient-get.ts'
import { type Collection, CountMismatch, type RowSource } from './source.ts'

/** The most rows that the Data Service gives on one page. */
const PAGE_ROWS = 1000

export interface PagingOptions {
  readonly limit?: number
  readonly patience?: Patience
}

interface Row {
  readonly kf_id: string
}

interface Page {
  readonly rows: readonly Row[]
  readonly total: number
  /** Relative address of the next page, or null on the last one. */
  readonly next: string | null
}

/** Rows from a Data Service: the visible records of a study, page by page. */
export function readDataservice(baseUrl: string, options: PagingOptions = {}): RowSource {
  const { limit = PAGE_ROWS, patience = PATIENCE } = options
  const load = async (url: URL, signal: AbortSignal) => parsePage(url, await getJson(url, signal, patience))
  return {
    async count(studyId, collection, signal) {
      return (await load(pageUrl(baseUrl, studyId, collection, 1, null), signal)).total
    },
    async *rows(studyId, collection, signal) {
      const seen = new Set<string>() // ids only: some 50 bytes a row
      let url = pageUrl(baseUrl, studyId, collection, limit, null)
      for (;;) {
        const page = await load(url, signal)
        yield newRows(page.rows, seen).map((row) => JSON.stringify(row))
        if (page.next === null) return compareCount(studyId, collection, seen.size, page.total)
        url = nextUrl(url, pageUrl(baseUrl, studyId, collection, limit, page.next))
      }
    },
  }
}

/**
 * Only the query of `next` is taken over: the rest of the address is ours, so a proxy's path stays and no answer
 * can send us to another host. `next` repeats neither `limit` nor `visible`.
 */
function pageUrl(
  base: string,
  studyId: string,
  collection: Collection,
  limit: number,
  next: string | null,
): URL {
  const url = new URL(`${base}/${collection}`)
  if (next !== null) url.search = new URL(next, base).search
  url.searchParams.set('study_id', studyId)
  url.searchParams.set('visible', 'true')
  url.searchParams.set('limit', String(limit))
  return url
}

/** @throws Error where a page names itself as the next one: following it would never end */
function nextUrl(current: URL, next: URL): URL {
  if (next.href === current.href) throw new Error(`GET ${current}: the page names itself as the next page`)
  return next
}

/** Rows that move while they are read may come twice; adds their ids to `seen`. */
function newRows(rows: readonly Row[], seen: Set<string>): readonly Row[] {
  return rows.filter((row) => {
    const before = seen.size
    return seen.add(row.kf_id).size > before
  })
}

function compareCount(studyId: string, collection: Collection, read: number, total: number): void {
  if (read !== total)
    throw new CountMismatch(
      `Reading ${collection} of ${studyId}: ${read} different rows came, the Data Service counts ${total}`,
    )
}

function parsePage(url: URL, body: unknown): Page {
  const page = body as { results?: unknown; total?: unknown; _links?: { next?: unknown } | null } | null
  const rows: unknown = page?.results
  if (!Array.isArray(rows) || !rows.every(isRow) || !Number.isInteger(page?.total))
    throw new Error(`GET ${url}: not a page of the Data Service (results with a kf_id each, total)`)
  const next = page?._links?.next
  return { rows, total: page?.total as number, next: typeof next === 'string' ? next : null }
}

function isRow(value: unknown): value is Row {
  return value !== null && typeof value === 'object' && 'kf_id' in value && typeof value.kf_id === 'string'
}
