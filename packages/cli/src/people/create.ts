import { query, type Side } from './asking.ts'
import type { Desk } from './desk.ts'
import type { Page, Release, Study } from './documents.ts'
import { CommandError } from './errors.ts'
import { printable } from './printable.ts'

export interface CreateFlags {
  readonly name: string
  readonly study?: readonly string[]
  readonly allStudies: boolean
  readonly description?: string
  readonly author?: string
  readonly tag?: readonly string[]
  readonly major: boolean
}

const PAGE = 1000

/** `releases create`: the id alone on stdout, so that a script can keep it; what to do next on a terminal. */
export async function create({ coordinator, print }: Desk, flags: CreateFlags): Promise<void> {
  const { name, description, author, tag: tags, major: is_major } = flags
  if (flags.allStudies === (flags.study !== undefined))
    throw new CommandError(
      'USAGE_INVALID',
      'A release needs either --study or --all-studies',
      'release-task releases create --help',
    )
  const studies = flags.study ?? (await allStudies(coordinator))
  const body = { name, studies, description, author, tags, is_major }
  const question = { method: 'POST', body, look: 'release-task releases list' } as const
  const release = await coordinator.ask<Release>('/releases', question)
  print(release, ({ kf_id }) => [kf_id])
  if (process.stdout.isTTY && process.stderr.isTTY) console.error(printable(nextOf(release)))
}

function nextOf({ kf_id, name, studies }: Release): string {
  const over = `${studies.length} ${studies.length === 1 ? 'study' : 'studies'}`
  return `${JSON.stringify(name)} over ${over}. Next: release-task releases watch ${kf_id}`
}

/** Every study that is not deleted. @throws CommandError as `ask`, and where there is none */
async function allStudies(coordinator: Side): Promise<string[]> {
  const found: Study[] = []
  for (;;) {
    const path = `/studies${query({ limit: PAGE, offset: found.length })}`
    const { results, count } = await coordinator.ask<Page<Study>>(path)
    found.push(...results)
    if (results.length === 0 || found.length >= count) break
  }
  const ids = found.filter((study) => !study.deleted).map((study) => study.kf_id)
  if (ids.length > 0) return ids
  throw new CommandError(
    'NOT_FOUND',
    'The coordinator has no studies',
    'POST /studies/sync, see docs/protocol.md',
  )
}
