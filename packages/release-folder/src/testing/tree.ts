import { copyFile, mkdir, readdir, readFile, readlink, symlink } from 'node:fs/promises'
import { join, relative } from 'node:path'

/** Every path below a folder, with its content; links are shown, not followed. */
export type Tree = { [path: string]: string }

/**
 * Reads a tree so that two runs can be compared: the number of the attempt, in which a run after a crash must
 * differ, is blanked out in paths and files.
 */
export async function readTree(root: string): Promise<Tree> {
  const tree: Tree = {}
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    tree[relative(root, path).replace(/^(staging\/\w+)\/\d+/, '$1/N')] = await contentOf(path, entry)
  }
  return tree
}

interface Kind {
  isDirectory(): boolean
  isSymbolicLink(): boolean
}

async function contentOf(path: string, kind: Kind): Promise<string> {
  if (kind.isDirectory()) return 'folder'
  if (kind.isSymbolicLink()) return `link to ${await readlink(path)}`
  return (await readFile(path, 'utf8')).replaceAll(/"attempt": \d+/g, '"attempt": N')
}

/** Copies a tree, links as links. `fs.cp` takes five times as long, and the crash tests copy hundreds. */
export async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to)
  const entries = await readdir(from, { withFileTypes: true })
  await Promise.all(
    entries.map(async (entry) => {
      const [source, target] = [join(from, entry.name), join(to, entry.name)]
      if (entry.isDirectory()) await copyTree(source, target)
      else if (entry.isSymbolicLink()) await symlink(await readlink(source), target)
      else await copyFile(source, target)
    }),
  )
}
