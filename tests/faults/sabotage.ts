// Loaded before anything else into the processes that the fault suite starts: it sets the clock off, gives the host
// another name, and makes the disk full where a file says so. What runs is the production code, unchanged.
// And it tells where the machine itself gave a lease thread no time: no lease survives that, and none should.
import { existsSync, type readFileSync } from 'node:fs'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import type { DatabaseSync } from 'node:sqlite'
import { isMainThread } from 'node:worker_threads'
import { record } from './history.ts'

const skewMs = Number(process.env['SKEW_MS'] ?? '0')
/** While this file is there, the databases of this process cannot grow. */
const fullFile = process.env['FULL_FILE'] ?? ''
const LOOK_MS = 20
const UNLIMITED = 2 ** 31 - 2

if (skewMs !== 0) {
  const now = Date.now.bind(Date)
  const RealDate = Date
  Date.now = () => now() + skewMs
  globalThis.Date = class extends RealDate {
    constructor(...args: unknown[]) {
      if (args.length === 0) super(now() + skewMs)
      else super(...(args as [number]))
    }
  } as DateConstructor
}

if (fullFile !== '') {
  const sqlite = createRequire(import.meta.url)('node:sqlite') as { DatabaseSync: typeof DatabaseSync }
  const open = new Set<DatabaseSync>()
  sqlite.DatabaseSync = class extends sqlite.DatabaseSync {
    constructor(...args: ConstructorParameters<typeof DatabaseSync>) {
      super(...args)
      open.add(this)
    }
  }
  syncBuiltinESMExports()
  let isFull = false
  setInterval(() => {
    if (existsSync(fullFile) === isFull) return
    isFull = !isFull
    // A limit below what is there already becomes what is there.
    for (const database of open)
      if (database.isOpen) database.exec(`PRAGMA max_page_count = ${isFull ? 1 : UNLIMITED}`)
  }, LOOK_MS).unref()
}

/** Another machine, as far as anybody can see: its processes cannot be looked at from here. */
const hostId = process.env['HOST_ID'] ?? ''
const BOOT_ID = '/proc/sys/kernel/random/boot_id'

if (hostId !== '') {
  const fs = createRequire(import.meta.url)('node:fs') as { readFileSync: typeof readFileSync }
  const read = fs.readFileSync
  fs.readFileSync = ((path: string, ...options: []) =>
    path === BOOT_ID ? hostId : read(path, ...options)) as typeof readFileSync
  syncBuiltinESMExports()
}

const TICK_MS = 100
const STARVED_MS = 1000
const historyFile = process.env['HISTORY_FILE'] ?? ''

if (!isMainThread && historyFile !== '') {
  let last = performance.now()
  setInterval(() => {
    const ms = performance.now() - last
    last += ms
    if (ms > STARVED_MS) record(historyFile, { type: 'starved', pid: process.pid, ms: Math.round(ms) })
  }, TICK_MS).unref()
}
