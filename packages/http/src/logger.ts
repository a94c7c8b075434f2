import { pino, type Logger } from 'pino'
import pretty from 'pino-pretty'
import { standardOutput } from './log-output.ts'

export type { Logger }

/** Values under these names never reach a log. */
const SECRETS = [
  'authorization',
  'cookie',
  'token',
  'access_token',
  'client_secret',
  '*.authorization',
  '*.token',
]

/** JSON lines; on a terminal the same for people. */
export function createLogger(name: string, level: string): Logger {
  const options = { name, level, redact: SECRETS, base: { name } }
  if (!process.stdout.isTTY) return pino(options, standardOutput())
  return pino(options, pretty({ sync: true, ignore: 'name', translateTime: 'HH:MM:ss.l' }))
}
