import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The page that comes with the published package; null in the workspace, where it is built beside its sources. */
export function packagedPage(): string | null {
  const folder = fileURLToPath(new URL('dashboard/', import.meta.url))
  return existsSync(folder) ? folder : null
}
