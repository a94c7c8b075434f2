import { setTimeout as sleep } from 'node:timers/promises'
import { describeFault, type Fault, type TimedFault } from './plan.ts'
import type { Slot } from './slot.ts'
import type { FaultSystem } from './system.ts'

/**
 * Does what the plan says at the times that it says, and undoes all that does not end by itself.
 * @returns once the last fault is over and every process runs
 */
export async function act(system: FaultSystem, faults: readonly TimedFault[]): Promise<void> {
  const began = performance.now()
  await Promise.all(
    faults.map(async ({ atMs, ...fault }) => {
      await sleep(Math.max(0, atMs - (performance.now() - began)))
      system.record({ type: 'fault', what: describeFault(fault) })
      await commit(system, fault)
    }),
  )
}

/** What two faults at once would undo for each other is done one after the other. */
let servers: Promise<unknown> = Promise.resolve()

function inTurn(what: () => Promise<void>): Promise<void> {
  const done = servers.then(what)
  servers = done.catch(() => undefined)
  return done
}

function commit(system: FaultSystem, fault: Fault): Promise<void> {
  switch (fault.type) {
    case 'kill':
      return system.slot(fault.slot).restart('SIGKILL', fault.downMs, { SKEW_MS: String(fault.skewMs) })
    case 'terminate':
      return system.slot(fault.slot).restart('SIGTERM', fault.downMs, {})
    case 'stop':
      return system.slot(fault.slot).stop(fault.forMs)
    case 'pause_work':
      return pauseWork(system, fault.forMs)
    case 'cut_off':
      return cutOff(system, fault.forMs)
    case 'network':
      return trouble(system, fault)
    case 'disk_full':
      return fillDisk(system, fault)
    default:
      return inTurn(() => troubleServer(system, fault))
  }
}

const WORK_WITHIN_MS = 1000
const LOOK_MS = 10

async function pauseWork(system: FaultSystem, forMs: number): Promise<void> {
  await (await whoBegins(system))?.stop(forMs)
}

async function cutOff(system: FaultSystem, forMs: number): Promise<void> {
  const worker = await whoBegins(system)
  const line = worker && system.databaseLines.get(worker.name)
  if (line) await worker.cut(line, forMs)
}

/** The worker that begins to work next; null where none does for a while. */
async function whoBegins(system: FaultSystem): Promise<Slot | null> {
  const workers = [...system.slots.values()].filter(({ name }) => name.includes('-worker-'))
  const from = system.mark()
  const end = performance.now() + WORK_WITHIN_MS
  while (performance.now() < end) {
    const begun = system.history(from).findLast((line) => line.type === 'effect' && line.edge === 'begin')
    const worker = workers.find(({ pid }) => begun?.type === 'effect' && begun.pid === pid)
    if (worker) return worker
    await sleep(LOOK_MS)
  }
  return null
}

async function trouble(
  system: FaultSystem,
  { link, forMs, trouble: share }: Extract<Fault, { type: 'network' }>,
): Promise<void> {
  const proxy = system.proxies.get(link)
  proxy?.setTrouble(share)
  await sleep(forMs)
  proxy?.setTrouble(0)
}

async function fillDisk(
  system: FaultSystem,
  { slot, forMs }: Extract<Fault, { type: 'disk_full' }>,
): Promise<void> {
  system.setDiskFull(slot, true)
  await sleep(forMs)
  system.setDiskFull(slot, false)
}

async function troubleServer({ redis, postgres }: FaultSystem, fault: Fault): Promise<void> {
  if (fault.type === 'redis_flush') await redis?.flush()
  if (fault.type === 'postgres_restart') {
    await postgres?.end(fault.how)
    await postgres?.start()
  }
  if (fault.type !== 'redis_kill') return
  await redis?.kill()
  await sleep(fault.downMs)
  await redis?.start()
}
