import type { Study } from '../../api-types.ts'
import { only } from '../../search-text.ts'

/** What a synchronisation brought. */
export interface SyncAnswer {
  readonly new: number
  readonly deleted: number
}

/** The filter in the address. Pure. */
export function studySearch(search: Readonly<Record<string, unknown>>) {
  return only(search, ['name'])
}

/** Studies whose name or id has the text in it. Pure. */
export function studiesLike(studies: readonly Study[], name: string | undefined): readonly Study[] {
  const part = (name ?? '').trim().toLocaleLowerCase()
  return studies.filter((study) => `${study.name} ${study.kf_id}`.toLocaleLowerCase().includes(part))
}

/** What came of a synchronisation, in a sentence. Pure. */
export function syncText({ new: created, deleted }: SyncAnswer): string {
  if (created === 0 && deleted === 0) return 'Synchronised: no study is new and none is gone.'
  return `Synchronised: ${created} new, ${deleted} gone.`
}

/** Whether the coordinator refused because too many studies would go; then it may be forced. Pure. */
export function mayForce(error: unknown): boolean {
  return (error as { status?: unknown } | null)?.status === 409
}
