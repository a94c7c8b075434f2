import type { FastifyRequest } from '@release-task/http'

/** Makes the absolute addresses of related resources (CR-6). */
export interface Links {
  readonly base: string
  to(resource: Resource, id: string): string
}

export type Resource = 'releases' | 'tasks' | 'task-services' | 'events' | 'studies' | 'release-notes'

/** From `PUBLIC_URL` where it is set, else from the Host header, or what a trusted proxy says of it. */
export function linksOf(request: FastifyRequest, publicUrl: string | null): Links {
  const base = publicUrl ?? `${request.protocol}://${request.host || 'localhost'}`
  return { base, to: (resource, id) => `${base}/${resource}/${id}` }
}

/** ISO-8601 UTC with microseconds, as the original writes it (CR-5). */
export function datetime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z')
}

/** The same of a text that another system wrote; its own microseconds are kept where it wrote UTC. */
export function datetimeOfText(text: string): string {
  const utc = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6})\d*)?(?:Z|\+00:?00)$/.exec(text)
  return utc ? `${utc[1]}.${(utc[2] ?? '').padEnd(6, '0')}Z` : datetime(Date.parse(text))
}
