import { randomBytes } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

let ownHost: string | null = null

/** Read once: it does not change while a process lives, and every look into an outbox asks. */
function hostIdentity(): string {
  ownHost ??= readHostIdentity()
  return ownHost
}

/**
 * Two processes see each other's pids only where they share the boot and the pid namespace; a container on the
 * same machine does not.
 */
function readHostIdentity(): string {
  const boot = read('/proc/sys/kernel/random/boot_id')?.trim()
  if (!boot) return hostname()
  try {
    return `${boot}/${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return boot
  }
}

/** When a process began, in clock ticks since boot: a pid alone may be somebody else's by now. Null: not running. */
function startTime(pid: number): string | null {
  const stat = read(`/proc/${pid}/stat`)
  // The second field is the program's name in brackets and may itself hold brackets and spaces.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (!fields || fields[0] === 'Z') return null
  return fields[19] ?? null
}

function isRunning(pid: number, started: string): boolean {
  if (started !== '?') return startTime(pid) === started
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Names this process in leases: host, pid, start time, and a random part for several services in one process. */
export function ownIdentity(): string {
  const started = startTime(process.pid) ?? '?'
  return [hostIdentity(), process.pid, started, randomBytes(4).toString('hex')].join('|')
}

/**
 * Names another process of this host as `ownIdentity` does, for `isGone` to ask later. Null where it does not run,
 * or where nothing tells when it began: its pid alone may be somebody else's later.
 */
export function identityOf(pid: number): string | null {
  const started = startTime(pid)
  return started === null ? null : [hostIdentity(), pid, started].join('|')
}

/** The pid within an owner's name, for messages. */
export function pidOf(owner: string): number {
  return Number(owner.split('|')[1])
}

/** Whether the process behind `owner` runs, or ran, where its pid means something to us. */
export function isOnThisHost(owner: string): boolean {
  return owner.split('|')[0] === hostIdentity()
}

/**
 * Whether the process behind `owner` is certainly gone: it ran on this host and does not any more. False for every
 * other host: there only the end of the lease tells.
 */
export function isGone(owner: string): boolean {
  const [host, pid, started] = owner.split('|')
  if (host !== hostIdentity() || pid === undefined || started === undefined) return false
  return !isRunning(Number(pid), started)
}
