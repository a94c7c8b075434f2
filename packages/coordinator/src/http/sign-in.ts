import { callerOn, permissionsOf, signInOf, type Caller } from '@release-task/auth'
import type { App } from '@release-task/http'
import type { HttpDependencies } from './dependencies.ts'

/** What a page asks before and after somebody signs in. */
export function addSignIn(app: App, deps: HttpDependencies): void {
  const signIn = signInOf(deps.config)
  /** How a token is got (CR-48). */
  app.get('/sign-in', async () => signIn)
  /** Who the caller is, and what they may do (CR-49). */
  app.get('/me', async (request) => {
    const caller = callerOn(request)
    return { ...whoIs(caller), permissions: permissionsOf(deps.policy, caller) }
  })
}

/** The roles by the names that people choose them with. */
function whoIs(caller: Caller): { subject: string | null; roles: readonly string[] } {
  if (caller.kind === 'anonymous') return { subject: null, roles: [] }
  if (caller.kind === 'user') return { subject: caller.id, roles: [ROLE_NAMES[caller.role]] }
  return { subject: caller.client || null, roles: caller.isAdmin ? [ROLE_NAMES.ADMIN] : [] }
}

const ROLE_NAMES = { USER: 'viewer', DEV: 'developer', ADMIN: 'admin' } as const
