import { basename, join } from 'node:path'

import { InvalidId } from './invalid-id.ts'

/** Where everything of one release is, below RELEASE_DIR. */
export interface Layout {
  readonly root: string
  readonly releaseId: string
  readonly allStaging: string
  /** All attempts of this release. */
  readonly staging: string
  readonly allPublic: string
  readonly published: string
  /** The symbolic link to the newest published release. */
  readonly latest: string
  /** The new link, before it is renamed over `latest`. */
  readonly latestDraft: string
  /** Where folders go in one move before they are removed file by file. */
  readonly trash: string
  /** The same for what other releases left: that it cannot be emptied must not keep this one from ending. */
  readonly trashOfOthers: string
}

export const MANIFEST = 'manifest.json'
export const PUBLICATION = 'publication.json'

/** @throws InvalidId where the id is not one: it becomes part of paths, `../..` must not */
export function layoutOf(root: string, releaseId: string): Layout {
  checkReleaseId(releaseId)
  const allPublic = join(root, 'public')
  return {
    root,
    releaseId,
    allStaging: join(root, 'staging'),
    staging: join(root, 'staging', releaseId),
    allPublic,
    published: join(allPublic, releaseId),
    latest: join(allPublic, 'latest'),
    latestDraft: join(allPublic, `.latest-${releaseId}`),
    trash: join(root, 'trash', releaseId),
    trashOfOthers: join(root, 'trash', `${releaseId}-others`),
  }
}

/** The working folder of one attempt: two attempts never write into the same one. */
export function attemptFolder(layout: Layout, attempt: number): string {
  return join(layout.staging, String(attempt))
}

/** The same, as it is kept on the task's record: relative to RELEASE_DIR, which may be moved. */
export function stagedName(layout: Layout, attempt: number): string {
  return `staging/${layout.releaseId}/${attempt}`
}

/**
 * The folder named by what `stage` returned.
 * @throws Error where it is not an attempt's folder of this very release
 */
export function stagedFolder(layout: Layout, staged: unknown): string {
  const folder = staged !== null && typeof staged === 'object' && 'folder' in staged ? staged.folder : null
  const attempt = typeof folder === 'string' ? basename(folder) : ''
  if (!/^[0-9]+$/.test(attempt) || folder !== stagedName(layout, Number(attempt)))
    throw new Error(
      `Publishing ${layout.releaseId}: stage left no folder of it, but ${JSON.stringify(staged)}`,
    )
  return attemptFolder(layout, Number(attempt))
}

/** @throws InvalidId where the id is not one */
export function checkReleaseId(text: string): void {
  if (!isReleaseId(text)) throw new InvalidId(`"${text}" is not a release id (RE_ and 8 characters)`)
}

export function isReleaseId(text: string): boolean {
  return /^RE_\w{8}$/.test(text)
}

/** @throws InvalidId where the id is not one: it becomes part of paths */
export function checkStudyId(text: string): void {
  if (!/^SD_\w{8}$/.test(text)) throw new InvalidId(`"${text}" is not a study id (SD_ and 8 characters)`)
}
