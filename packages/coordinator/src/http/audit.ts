import { Readable } from 'node:stream'
import type { App, FastifyRequest } from '@release-task/http'
import type { AuditFilter, AuditRecord } from '../audit-store.ts'
import type { HttpDependencies } from './dependencies.ts'
import { datetime, linksOf } from './links.ts'
import { envelope, queryText, windowOf } from './page.ts'

const BATCH = 500

/** `/audit`: who changed what, for admins; a page, or all of it as JSON lines, oldest first (CR-44). */
export function addAudit(app: App, deps: HttpDependencies): void {
  app.get('/audit', async (request, reply) => {
    const filter = {
      actor: queryText(request, 'actor'),
      action: queryText(request, 'action'),
      subject: queryText(request, 'subject'),
    }
    if (wantsLines(request)) {
      const from = Number(queryText(request, 'after') ?? 0)
      const lines = Readable.from(linesAfter(deps, filter, Number.isSafeInteger(from) ? from : 0))
      return reply.type('application/x-ndjson').send(lines)
    }
    const window = windowOf(request)
    const { count, results } = await deps.audit.list(filter, window)
    const { base } = linksOf(request, deps.config.publicUrl)
    return envelope(request, base, { count, results: results.map(auditView) }, window)
  })
}

function wantsLines(request: FastifyRequest): boolean {
  return (
    queryText(request, 'format') === 'jsonl' || /application\/x-ndjson/.test(request.headers.accept ?? '')
  )
}

/** Read as fast as it is taken: the trail may be longer than memory. */
async function* linesAfter(deps: HttpDependencies, filter: AuditFilter, from: number) {
  for (let after = from; ;) {
    const batch = await deps.audit.after(filter, after, BATCH)
    for (const record of batch) yield `${JSON.stringify(auditView(record))}\n`
    const last = batch.at(-1)
    if (!last || batch.length < BATCH) return
    after = last.position
  }
}

function auditView({ position, at, actor, action, subject, detail }: AuditRecord) {
  return { position, at: datetime(at), actor, action, subject, detail }
}
