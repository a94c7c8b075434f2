/** What a started side is. */
export interface Running {
  readonly url: string
  /** Resolves with an error where it cannot go on, and must end. */
  readonly lost: Promise<unknown>
  close(): Promise<void>
}

const SAME_SIGNAL_MS = 500 // npm passes a Ctrl-C on that the terminal has sent already

/** Calls `stop` once, on SIGINT, SIGTERM, or when the parent that started this process is gone. */
export function onStopSignal(stop: (reason: string) => void): void {
  let firstAt: number | null = null
  const signal = (name: string) => {
    const now = performance.now()
    if (firstAt === null) {
      firstAt = now
      stop(name)
    } else if (now - firstAt > SAME_SIGNAL_MS) process.exit(130)
  }
  process.on('SIGINT', () => signal('SIGINT'))
  process.on('SIGTERM', () => signal('SIGTERM'))
  if (process.send) process.on('disconnect', () => signal('parent gone'))
}

/** Starts one side, tells a parent where it listens, and stays until it is told to stop. */
export async function runUntilSignal(start: () => Promise<Running>): Promise<void> {
  const stopped = Promise.withResolvers<void>()
  let running: Running | null = null
  let stopping = false
  let failure: unknown = null
  const close = () => void running?.close().then(() => stopped.resolve(), stopped.reject)
  onStopSignal(() => {
    stopping = true
    close()
  })
  running = await start()
  void running.lost.then((error) => {
    failure = error
    close()
  })
  process.send?.({ type: 'listening', url: running.url })
  if (stopping) close()
  await stopped.promise
  if (failure !== null) throw failure
  // Nothing may keep a stopped process alive: a forgotten timer of a task, an open connection.
  process.exit(0)
}
