import type { Permission } from '@release-task/auth'

/** Answered to everybody (AU-3). */
const OPEN = /^\/(status|livez|readyz)$/

/** What a request needs, by its method and its route; null where a write has no rule here. */
export function permissionOf(method: string, route: string): Permission | null {
  if (method === 'OPTIONS' || OPEN.test(route)) return 'probe'
  if (method === 'GET' || method === 'HEAD') return 'read'
  if (/^\/tasks$/.test(route)) return 'action.send'
  return route.startsWith('/tasks/') ? 'action.decide' : null
}
