import type { App, FastifyReply, FastifyRequest, Logger } from '@release-task/http'
import { ANONYMOUS, type Caller } from './caller.ts'
import { identify } from './identify.ts'
import { mostOf, PERMISSION_NAMES, type Permission, type Policy, type Subject } from './policy.ts'
import type { Verifier } from './verifier.ts'

export interface GuardOptions {
  /** Null where nothing checks who calls. */
  readonly verifier: Verifier | null
  readonly policy: Policy
  /**
   * What a request needs, by its method and its route's pattern (`/releases/:id`); for a request that no route takes,
   * by its path, and then it only decides between 403 and 404 or 405. Null: no route may be like this.
   */
  readonly permissionOf: (method: string, route: string) => Permission | null
  /** What the body says that the permission depends on; asked once the body has been read. */
  readonly subjectOf?: (permission: Permission, body: unknown) => Subject
  /** Lets somebody through whom the policy refuses; its handler must know that, by `callerOn` (AU-10). */
  readonly exception?: (permission: Permission, request: FastifyRequest) => Promise<boolean>
  /** Answers 403 in the side's own shape. */
  readonly refuse: (reply: FastifyReply, message: string) => unknown
  readonly log: Logger
}

const callers = new WeakMap<FastifyRequest, Caller>()
/** Requests that the exception let through: they are not judged again. */
const excepted = new WeakSet<FastifyRequest>()

/** Who sent a request; anonymous also where nothing checks who calls. */
export function callerOn(request: FastifyRequest): Caller {
  return callers.get(request) ?? ANONYMOUS
}

/**
 * Lets every request through that the policy allows and answers 403 to all others (AU-3, AU-7), before its body is
 * read, and again once it is where the body matters. Call it before any route is added.
 * @throws Error at the start, for a route that names no permission: it would be open to everybody
 */
export function guard(app: App, options: GuardOptions): void {
  const { permissionOf, policy, refuse, exception } = options
  app.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat())
      if (permissionOf(one, url) === null) throw new Error(`${one} ${url} names no permission`)
  })
  // Where everybody may do everything there is nothing to ask, and asking costs every request something.
  if (!options.verifier && PERMISSION_NAMES.every((one) => policy.may(ANONYMOUS, one))) return
  app.addHook('onRequest', async (request, reply) => {
    const caller = await callerOf(request, options)
    callers.set(request, caller)
    const permission = neededBy(request, options)
    // Which studies are meant is not known yet.
    if (policy.may(caller, permission, mostOf(caller))) return
    if (await exception?.(permission, request)) excepted.add(request)
    else await refuse(reply, policy.refusal(caller, permission))
  })
  app.addHook('preHandler', async (request, reply) => {
    if (excepted.has(request)) return
    const permission = neededBy(request, options)
    const subject = options.subjectOf?.(permission, request.body)
    const caller = callerOn(request)
    if (subject && !policy.may(caller, permission, subject))
      await refuse(reply, policy.refusal(caller, permission))
  })
}

async function callerOf(request: FastifyRequest, { verifier, log }: GuardOptions): Promise<Caller> {
  if (!verifier) return ANONYMOUS
  const { caller, problem } = await identify(authorizationOf(request), verifier)
  // Only what is wrong with our own keys is worth a line for whoever is on call; who calls learns nothing of either.
  if (problem?.code === 'KEYS_UNAVAILABLE') log.error({ code: problem.code }, problem.message)
  else if (problem && problem.code !== 'TOKEN_MISSING') log.info({ code: problem.code }, problem.message)
  return caller
}

/** All of them: of several, node keeps the first and is silent about the others, and a proxy may have read another. */
function authorizationOf({ headers, raw }: FastifyRequest): string | readonly string[] | undefined {
  const isOne = (name: string, index: number) => index % 2 === 0 && name.toLowerCase() === 'authorization'
  const lines = raw.rawHeaders.filter((_, index) => isOne(raw.rawHeaders[index - 1] ?? '', index - 1))
  return lines.length > 1 ? lines : headers.authorization
}

/** By the pattern, not by the path: what a percent-encoding hides, the router has seen through already. */
function neededBy(request: FastifyRequest, { permissionOf }: GuardOptions): Permission {
  const route = request.routeOptions.url ?? request.url.split('?')[0] ?? '/'
  return permissionOf(request.method, route.replaceAll(/\/{2,}/g, '/')) ?? 'probe'
}
