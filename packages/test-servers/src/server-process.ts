import { spawn, type ChildProcess } from 'node:child_process'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { programPath, serverUser } from './programs.ts'

const START_LIMIT_MS = 30 * 1000 // 30 s

/** A temporary folder that the server's user owns. */
export function serverFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `${name}-`))
  const user = serverUser()
  if (user) chownSync(folder, user.uid, user.gid)
  return folder
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}

export interface Program {
  readonly name: string
  readonly args: readonly string[]
  readonly folder: string
}

function start({ name, args, folder }: Program): { child: ChildProcess; printed: () => string } {
  const path = programPath(name)
  if (path === null) throw new Error(`${name} is not installed`)
  const user = serverUser()
  const child = spawn(path, args, {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C.UTF-8', TZ: 'UTC' },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...user,
  })
  let output = ''
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()))
  return { child, printed: () => output }
}

/** Servers that run: whoever is told to end while one of them only begins knows none to stop. */
const running = new Set<ChildProcess>()
// At once, and PostgreSQL with its children: nobody needs what they hold.
process.once('exit', () => running.forEach((child) => child.kill('SIGQUIT')))

/** Runs a program to its end. @throws with its output where it fails */
export async function runProgram(program: Program): Promise<void> {
  const { child, printed } = start(program)
  const code = await new Promise((resolve) => child.once('close', resolve))
  if (code !== 0) throw new Error(`${program.name} ended with ${String(code)}: ${printed()}`)
}

/** A server that can be ended and started again on the same port. */
export class ServerProcess {
  readonly #program: Program
  readonly #ready: () => Promise<void>
  #child: ChildProcess | null = null

  /** @param ready rejects while the server does not answer yet */
  constructor(program: Program, ready: () => Promise<void>) {
    this.#program = program
    this.#ready = ready
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  async start(): Promise<void> {
    const { child, printed } = start(this.#program)
    this.#child = child
    running.add(child)
    child.once('exit', () => running.delete(child))
    const end = performance.now() + START_LIMIT_MS
    for (;;) {
      try {
        return await this.#ready()
      } catch (error) {
        const dead = child.exitCode !== null || child.signalCode !== null
        if (dead || performance.now() > end)
          throw new Error(`${this.#program.name} does not answer: ${printed()}`, { cause: error })
        await sleep(20)
      }
    }
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    await gone
  }
}

/** One exchange over a bare connection: what came back first. */
export function ask(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    socket.once('data', (chunk: Buffer) => {
      socket.destroy()
      resolve(chunk.toString())
    })
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('closed without an answer')))
  })
}
