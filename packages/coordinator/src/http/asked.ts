import { actorOf, callerOn } from '@release-task/auth'
import type { FastifyRequest } from '@release-task/http'
import type { Asked } from '../execute.ts'
import { permissionOf } from './permissions.ts'

/** Who asks for a change, and for what: for the audit trail (CR-44). The body, as far as it was understood. */
export function askedBy(request: FastifyRequest, body?: unknown): Asked {
  const { method } = request
  const action = permissionOf(method, request.routeOptions.url ?? '') ?? 'unknown'
  return { ...reportedBy(request), audit: { action, detail: { method, body } } }
}

/** Who says something, where the events that follow from it are enough of a trail. */
export function reportedBy(request: FastifyRequest): Asked {
  return { actor: actorOf(callerOn(request)), audit: null }
}
