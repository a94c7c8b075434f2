// What is read of both sides once a round is over.
import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { call } from '../processes.fixture.ts'
import { SERVICES } from './plan.ts'
import type { FaultSystem, Service } from './system.ts'

/** One event of a service's own record of a task. */
export interface ServiceEvent {
  readonly type: string
  readonly message: string
}

export interface TaskEvidence {
  readonly id: string
  readonly service: string
  /** As the coordinator shows it. */
  readonly state: string
  /** As its service shows it; null: it does not know the task. */
  readonly own: {
    readonly state: string
    readonly cleanup: string
    readonly events: readonly ServiceEvent[]
  } | null
  /** Names of its public files. */
  readonly publicFiles: readonly string[]
}

export interface ReleaseEvidence {
  readonly id: string
  readonly state: string
  readonly version: string
  /** Messages of its events, the oldest first. */
  readonly events: readonly string[]
  readonly tasks: readonly TaskEvidence[]
}

const LOOK_MS = 50

/** Whether nothing of a task is left to be done at its service. */
export function isSettled({ own }: TaskEvidence): boolean {
  if (own === null) return true
  if (own.state === 'published') return true
  return (own.state === 'canceled' || own.state === 'failed') && own.cleanup !== 'pending'
}

/** Reads a release that has ended, as soon as both sides have nothing left to do for it. */
export async function gather(system: FaultSystem, id: string, until: AbortSignal): Promise<ReleaseEvidence> {
  for (;;) {
    try {
      const evidence = await read(system, id)
      if (until.aborted || evidence.tasks.every(isSettled)) return evidence
    } catch (error) {
      if (until.aborted) throw error
    }
    await sleep(LOOK_MS)
  }
}

async function read(system: FaultSystem, id: string): Promise<ReleaseEvidence> {
  const release = await get(`${system.coordinator}/releases/${id}`)
  const events = await get(`${system.coordinator}/events?release=${id}&limit=1000`)
  const tasks = release.tasks.map((task: { kf_id: string; service_name: string; state: string }) =>
    readTask(system, id, task),
  )
  return {
    id,
    state: release.state,
    version: release.version,
    events: inOrder(events.results),
    tasks: await Promise.all(tasks),
  }
}

async function readTask(
  system: FaultSystem,
  release: string,
  { kf_id: id, service_name: name, state }: { kf_id: string; service_name: string; state: string },
): Promise<TaskEvidence> {
  const service = SERVICES.find((one) => one === name) as Service
  const publicFiles = list(system.publicFolder(service, release))
  const own = await call('GET', `${system.urls[service]}/tasks/${id}`)
  if (own.code === 404) return { id, service, state, own: null, publicFiles }
  const events = await readEvents(`${system.urls[service]}/tasks/${id}/events`)
  const facts = { state: own.body.state, cleanup: own.body.cleanup, events }
  return { id, service, state, own: facts, publicFiles }
}

async function readEvents(url: string): Promise<ServiceEvent[]> {
  const events: (ServiceEvent & { id: number })[] = []
  for (;;) {
    const { results } = await get(`${url}?after=${events.at(-1)?.id ?? 0}`)
    if (results.length === 0) return events
    events.push(...results)
  }
}

async function get(url: string): Promise<any> {
  const { code, body } = await call('GET', url)
  if (code !== 200) throw new Error(`${url} answered ${code}`)
  return body
}

/** The API lists the newest first. */
function inOrder(events: readonly { readonly message: string }[]): string[] {
  return events.map((event) => event.message).toReversed()
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
