import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const BIN = fileURLToPath(new URL('../packages/cli/bin/release-task.js', import.meta.url))

export interface Started {
  readonly url: string
  /** Milliseconds from the start of the process until it listened. */
  readonly startMs: number
  /** Resident memory in megabytes. */
  memoryMb(): number
  stop(): Promise<void>
}

export const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

/** Starts a Node program that says where it listens. */
export async function start(file: string, args: readonly string[], cwd: string): Promise<Started> {
  mkdirSync(cwd, { recursive: true })
  const startedAt = performance.now()
  const child = spawn(process.execPath, ['--conditions=development', file, ...args], {
    cwd,
    env: { PATH: process.env['PATH'], LOG_LEVEL: 'error', RATE_LIMIT: '0' },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const url = await new Promise<string>((resolve, reject) => {
    child.on('message', (message: { url?: string }) => message.url && resolve(message.url))
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code}`)))
  })
  return {
    url,
    startMs: performance.now() - startedAt,
    memoryMb: () => residentMb(child),
    stop: () => stop(child),
  }
}

export const startSide = (args: readonly string[], cwd: string): Promise<Started> => start(BIN, args, cwd)

function residentMb(child: ChildProcess): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await ended
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
