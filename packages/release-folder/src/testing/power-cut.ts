import { dirname } from 'node:path'

import { nodeFileSystem } from '../file-system.ts'
import type { Call } from './watched-file-system.ts'

/**
 * Keeps what a power cut could take away: files that were written and not synced, and folders whose entries
 * changed and that were not synced. What is on its way out (the trash) may come back, that does no harm.
 */
export class PowerCut {
  readonly #losable = new Set<string>()
  readonly #kept: string

  /** @param kept only what is below this folder counts */
  constructor(kept: string) {
    this.#kept = kept
  }

  readonly note = async ({ name, path, to, flags }: Call): Promise<void> => {
    const isThere = async () => (await nodeFileSystem.kindOf(path)) !== 'none'
    if (name.startsWith('remove') && !(await isThere())) return
    if (name === 'makeFolders' && (await isThere())) return
    if (name === 'sync') this.#losable.delete(path)
    if (name === 'write') this.#losable.add(path)
    if (name === 'rename') this.#moved(path, to ?? '')
    if (name === 'open' && flags === 'w') this.#losable.add(path)
    const changesFolder = [
      'link',
      'makeFolder',
      'makeFolders',
      'removeFile',
      'removeFolder',
      'rename',
    ].includes(name)
    if (changesFolder || flags === 'w') this.#losable.add(dirname(path))
  }

  #moved(from: string, to: string): void {
    this.#losable.add(dirname(to))
    for (const path of this.#losable) {
      if (!path.startsWith(`${from}/`)) continue
      this.#losable.delete(path)
      this.#losable.add(to + path.slice(from.length))
    }
  }

  get losable(): string[] {
    return [...this.#losable].filter((path) => path.startsWith(this.#kept) && !path.includes('/trash'))
  }
}
