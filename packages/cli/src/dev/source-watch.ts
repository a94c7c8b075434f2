import { watch } from 'node:fs'
import { dirname, resolve, sep } from 'node:path'

const QUIET_MS = 150 // editors write a file in several steps

/** What a build, a package manager or a run leaves behind is no source. */
const NO_SOURCE = /(^|\/)(\..*|node_modules|dist|__pycache__)(\/|$)|~$/

/** Whether a file below the folder of a task is part of it; the name is as `fs.watch` tells it. */
export function isSource(name: string | null): boolean {
  return name !== null && !NO_SOURCE.test(name.split(sep).join('/'))
}

/**
 * Tells when something in the folder of a task file was saved, once for what happens in one go. What cannot be watched
 * (a file system without it, too many watches) is not: then nothing is reloaded.
 */
export function watchSources(taskFile: string, changed: () => void, stop: AbortSignal): void {
  let timer: NodeJS.Timeout | null = null
  const soon = () => {
    if (timer) clearTimeout(timer)
    timer = setTimeout(changed, QUIET_MS)
    timer.unref()
  }
  try {
    const options = { recursive: true, persistent: false, signal: stop }
    const watcher = watch(dirname(resolve(taskFile)), options, (_, name) => {
      if (isSource(name)) soon()
    })
    watcher.on('error', () => undefined)
  } catch {
    // Said above.
  }
}
