import { setTimeout as sleep } from 'node:timers/promises'
import { trueTime, type EffectLine, type HistoryLine } from './history.ts'
import { describeFault, type AtWork, type Fault, type TimedFault } from './plan.ts'
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
      return pauseWork(system, fault)
    case 'cut_off':
      return cutOff(system, fault)
    case 'network':
      return trouble(system, fault)
    case 'disk_full':
      return fillDisk(system, fault)
    default:
      return inTurn(() => troubleServer(system, fault))
  }
}

const WORK_WITHIN_MS = 2500
const LOOK_MS = 10

async function pauseWork(system: FaultSystem, fault: AtWork): Promise<void> {
  await (await whoWorks(system, fault))?.stop(fault.forMs)
}

async function cutOff(system: FaultSystem, fault: AtWork): Promise<void> {
  const worker = await whoWorks(system, fault)
  const line = worker && system.databaseLines.get(worker.name)
  if (line) await worker.cut(line, fault.forMs)
}

/** The next worker that is so far in such work; null where none is for a while. */
async function whoWorks(system: FaultSystem, { work, afterMs }: AtWork): Promise<Slot | null> {
  const from = system.mark()
  const end = performance.now() + WORK_WITHIN_MS
  while (performance.now() < end) {
    const running = workersAt(work, system.history(from)).find(({ at }) => trueTime() - at >= afterMs)
    const worker = [...system.slots.values()].find(({ pid }) => running && pid === running.pid)
    if (worker) return worker
    await sleep(LOOK_MS)
  }
  return null
}

/** What has begun and not ended, of services that have workers of their own, where another can take it over. */
function workersAt(work: AtWork['work'], history: readonly HistoryLine[]): (HistoryLine & EffectLine)[] {
  const effects = history.filter((line): line is HistoryLine & EffectLine => line.type === 'effect')
  const over = new Set(effects.flatMap(({ edge, token }) => (edge === 'begin' ? [] : [token])))
  return effects.filter(
    (line) => line.edge === 'begin' && line.work === work && line.service === 'beta' && !over.has(line.token),
  )
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
