import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { findPackageJSON } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'

/** What a build leaves, and what it is not made of. */
const LEFT_OUT = new Set(['node_modules', 'dist'])

/**
 * One word for everything that a page is made of: its folder, which names the exact versions of what others wrote, and
 * the sources of the packages of this workspace that it uses.
 * @throws Error where there is no such folder
 */
export async function digestOf(root: string): Promise<string> {
  const files = [...(await filesIn(root)), ...(await filesOfPackages(root))]
  const hash = createHash('sha256')
  for (const file of files.toSorted())
    hash
      .update(`${relative(root, file)}\0`)
      .update(await readFile(file))
      .update('\0')
  return hash.digest('base64url')
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const found = entries
    .filter(({ name }) => !LEFT_OUT.has(name) && !name.startsWith('.'))
    .map(async (entry): Promise<string[]> => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return filesIn(path)
      return entry.isFile() ? [path] : []
    })
  return (await Promise.all(found)).flat()
}

async function filesOfPackages(root: string): Promise<string[]> {
  const file = join(root, 'package.json')
  const { dependencies = {} } = JSON.parse(await readFile(file, 'utf8')) as { dependencies?: object }
  const own = Object.keys(dependencies).filter((name) => name.startsWith('@release-task/'))
  const folders = own.flatMap((name) => findPackageJSON(name, pathToFileURL(file)) ?? [])
  return (await Promise.all(folders.map((found) => filesIn(dirname(found))))).flat()
}
