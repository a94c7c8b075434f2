import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** The socket inode that listens on `port`, from the kernel's own table (Linux only). */
function listeningInode(port: number): string | null {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0')
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readLines(table)) {
      const fields = line.trim().split(/\s+/)
      const listening = fields[3] === '0A'
      if (listening && fields[1]?.endsWith(`:${hexPort}`)) return fields[9] ?? null
    }
  }
  return null
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n')
  } catch {
    return []
  }
}

function holds(pid: string, socket: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => linkOf(`/proc/${pid}/fd/${fd}`) === socket)
  } catch {
    return false // another user's process, or one that has just ended
  }
}

function linkOf(path: string): string | null {
  try {
    return readlinkSync(path)
  } catch {
    return null
  }
}

/** The pid that listens on a local port; null where the system does not tell. */
export function portHolder(port: number): number | null {
  const inode = listeningInode(port)
  if (inode === null) return null
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  const pid = pids.find((candidate) => holds(candidate, `socket:[${inode}]`))
  return pid === undefined ? null : Number(pid)
}
