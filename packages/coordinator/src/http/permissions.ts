import type { Permission, Subject } from '@release-task/auth'

const READ = ['GET', 'HEAD']
/** Answered to everybody: health, what is meant for the public, and what a page asks to sign somebody in (AU-3). */
const OPEN = /^\/(livez|readyz|sign-in|me|releases\/latest-published)$/

type Rule = readonly [methods: RegExp, route: RegExp, permission: Permission]

/**
 * What each write needs (AU-7); the first that fits counts. The last of each resource are the methods that it does
 * not have: who may not write it at all is told so before 405.
 */
const WRITES: readonly Rule[] = [
  [/POST/, /^\/releases$/, 'release.create'],
  [/POST/, /^\/releases\/status_checks$/, 'release.check'],
  [/POST/, /^\/releases\/[^/]+\/publish$/, 'release.publish'],
  [/DELETE/, /^\/releases\/[^/]+$/, 'release.cancel'],
  [/./, /^\/releases(\/|$)/, 'release.edit'],
  [/POST/, /^\/tasks\/status_checks$/, 'task.check'],
  [/PUT|PATCH/, /^\/tasks\/[^/]+$/, 'task.report'],
  [/./, /^\/tasks(\/|$)/, 'task.create'],
  [/POST/, /^\/task-services\/health_checks$/, 'service.check'],
  [/./, /^\/task-services(\/|$)/, 'service.write'],
  [/./, /^\/release-notes(\/|$)/, 'note.write'],
  [/./, /^\/events(\/|$)/, 'event.write'],
  [/POST/, /^\/studies\/sync$/, 'study.sync'],
  // Nobody may, and everybody is told so by 405.
  [/./, /^\/studies(\/|$)/, 'probe'],
]

/** What a request needs, by its method and its route; null where a write has no rule here. */
export function permissionOf(method: string, route: string): Permission | null {
  const path = route.replace(/\.json$/, '')
  if (method === 'OPTIONS' || (READ.includes(method) && OPEN.test(path))) return 'probe'
  // What a mutation needs is asked by the route that does it.
  if (method === 'POST' && path === '/graphql') return 'read'
  if (READ.includes(method)) return /^\/audit(\/|$)/.test(path) ? 'audit.read' : 'read'
  return WRITES.find(([methods, pattern]) => methods.test(method) && pattern.test(path))?.[2] ?? null
}

/** The studies of a new release: a DEV may release those of its groups only. */
export function subjectOf(permission: Permission, body: unknown): Subject {
  if (permission !== 'release.create') return {}
  const { studies } = (body ?? {}) as { studies?: unknown }
  const list = typeof studies === 'string' ? [studies] : studies
  return { studies: Array.isArray(list) ? list.filter((one) => typeof one === 'string') : [] }
}
