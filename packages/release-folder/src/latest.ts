import { join } from 'node:path'

import { readText, syncFolders } from './durable.ts'
import { type FileSystem, isMissing } from './file-system.ts'
import { isReleaseId, type Layout, PUBLICATION } from './layout.ts'

/** What `publication.json` says; its presence in a public folder makes that a published release. */
export interface Publication {
  readonly release_id: string
  readonly published_at: string
  readonly attempt: number
}

/**
 * Points `public/latest` at the newest published release, or removes it where there is none. Looks again after
 * each change: of several workers that switch the link at once, the last one to write it has also seen what
 * all the others published or took away, so the link ends up right without a lock.
 * @param without a release that is about to be taken away
 */
export async function pointLatestAtNewest(fs: FileSystem, layout: Layout, without?: string): Promise<void> {
  await fs.removeFile(layout.latestDraft) // left by a run that ended between making and renaming it
  for (;;) {
    const newest = await newestPublished(fs, layout.allPublic, without)
    if (newest === (await fs.linkTarget(layout.latest))) break
    if (newest === null) await fs.removeFile(layout.latest)
    else await switchLink(fs, newest, layout)
  }
  // Also where nothing changed: an earlier run may have ended between the switch and this.
  await syncFolders(fs, layout.allPublic)
}

/** A link cannot be changed in place; renaming a new one over it leaves no moment without a link. */
async function switchLink(fs: FileSystem, target: string, layout: Layout): Promise<void> {
  await fs.link(target, layout.latestDraft)
  await fs.rename(layout.latestDraft, layout.latest)
}

interface Published {
  readonly name: string
  /** Epoch ms. */
  readonly at: number
}

async function newestPublished(fs: FileSystem, folder: string, without?: string): Promise<string | null> {
  return (await newestOf(fs, folder, without))?.name ?? null
}

async function newestOf(fs: FileSystem, folder: string, without?: string): Promise<Published | null> {
  const names = (await fs.list(folder)).filter((name) => isReleaseId(name) && name !== without)
  let newest: Published | null = null
  for (const name of names) {
    const publication = await readPublication(fs, join(folder, name))
    const at = Date.parse(publication?.published_at ?? '')
    if (at >= (newest?.at ?? -Infinity)) newest = { name, at }
  }
  return newest
}

/**
 * When a release that is published now is said to be: later than all that are public, although their hosts' clocks
 * may be ahead of this one's. Else readers would be sent to an older release.
 */
export async function publicationTime(fs: FileSystem, layout: Layout, now: Date): Promise<Date> {
  const newest = await newestOf(fs, layout.allPublic)
  return newest === null ? now : new Date(Math.max(now.getTime(), newest.at + 1))
}

/** The publication of a folder; null where it holds none that can be read, so is no published release. */
export async function readPublication(fs: FileSystem, folder: string): Promise<Publication | null> {
  try {
    return JSON.parse(await readText(fs, join(folder, PUBLICATION))) as Publication | null
  } catch (error) {
    if (isMissing(error) || error instanceof SyntaxError) return null
    throw error
  }
}
