import { createHash } from 'node:crypto'
import type { App } from '@release-task/http'
import type { HttpDependencies } from './dependencies.ts'
import { notFound } from './problem.ts'
import { show } from './releases.ts'

const CACHE = 'public, max-age=60' // a new release is everywhere after a minute

/** `GET /releases/latest-published`: what everybody may see, and keep for a moment (CR-42). */
export function addLatestPublished(app: App, deps: HttpDependencies): void {
  app.get('/releases/latest-published', async (request, reply) => {
    const id = await deps.publications.newest()
    const release = id && (await deps.releases.get(id))
    if (!release) throw notFound()
    const body = await show(deps, request, release)
    // The description and the notes change after the publication too, and then what was kept is not it any more.
    const digest = createHash('sha256').update(JSON.stringify(body)).digest('base64url').slice(0, 16)
    const tag = `"${release.id}-${release.version}-${digest}"`
    reply.header('cache-control', CACHE).header('etag', tag)
    return knows(request.headers['if-none-match'], tag) ? reply.status(304).send() : body
  })
}

/** Whether a list of tags has this one; a cache on the way may have made it a weak one. */
function knows(header: string | undefined, tag: string): boolean {
  return (header ?? '').split(',').some((one) => ['*', tag].includes(one.trim().replace(/^W\//, '')))
}
