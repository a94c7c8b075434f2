import { actorOf, callerOn } from '@release-task/auth'
import type { FastifyRequest } from '@release-task/http'
import type { Asked } from '../execute.ts'
import type { Deadlines } from '../record.ts'
import { givenTexts } from './deadlines.ts'
import { permissionOf } from './permissions.ts'

/** Who asks for a change, and for what: for the audit trail (CR-44). The body, as far as it was understood. */
export function askedBy(request: FastifyRequest, body?: unknown): Asked {
  const { method } = request
  const action = permissionOf(method, request.routeOptions.url ?? '') ?? 'unknown'
  return { ...reportedBy(request), audit: { action, detail: { method, body: inWordsOfApi(body) } } }
}

/** What is called otherwise within. */
const NAMES: Readonly<Record<string, string>> = {
  isMajor: 'is_major',
  releaseId: 'release',
  studyId: 'study',
}

/** Whoever reads the trail knows the API, and not what its fields are called within. */
function inWordsOfApi(body: unknown): unknown {
  if (typeof body !== 'object' || body === null) return body
  const entries = Object.entries(body as Record<string, unknown>)
  return Object.fromEntries(
    entries.map(([name, value]) => [
      NAMES[name] ?? name,
      name === 'deadlines' ? givenTexts(value as Partial<Deadlines>) : value,
    ]),
  )
}

/** Who says something, where the events that follow from it are enough of a trail. */
export function reportedBy(request: FastifyRequest): Asked {
  return { actor: actorOf(callerOn(request)), audit: null }
}
