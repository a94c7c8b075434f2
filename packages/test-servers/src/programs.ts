import { accessSync, constants, readdirSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

export type ServerKind = 'postgresql' | 'redis'

const PROGRAM = { postgresql: 'initdb', redis: 'redis-server' } as const
const DEBIAN = '/usr/lib/postgresql'

/** Debian keeps PostgreSQL's programs apart, one folder per version; the newest comes first. */
function folders(): string[] {
  const versions = list(DEBIAN).toSorted((a, b) => Number(b) - Number(a))
  return [
    ...versions.map((version) => join(DEBIAN, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(delimiter),
  ]
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** The path of an installed program; null where there is none. */
export function programPath(name: string): string | null {
  for (const folder of folders()) {
    try {
      accessSync(join(folder, name), constants.X_OK)
      return join(folder, name)
    } catch {
      continue
    }
  }
  return null
}

/**
 * Whether tests that need this server must be skipped, because it is not installed.
 * @throws in CI, where a skipped test would look like one that passed
 */
export function absent(kind: ServerKind): boolean {
  if (programPath(PROGRAM[kind]) !== null) return false
  const message = `${kind} is not installed (apt-get install ${kind === 'redis' ? 'redis-server' : kind})`
  if (process.env['CI']) throw new Error(`Tests need a real server: ${message}`)
  console.warn(`Skipped: ${message}`)
  return true
}

export interface User {
  readonly uid: number
  readonly gid: number
}

/** Servers refuse to run as root, or should: then they run as somebody who may do nothing. Null: as ourselves. */
export function serverUser(): User | null {
  if (process.getuid?.() !== 0) return null
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n')
  const user = lines.find((line) => line.startsWith('nobody:'))?.split(':')
  if (!user) throw new Error('There is no user "nobody" to run a test server as')
  return { uid: Number(user[2]), gid: Number(user[3]) }
}
