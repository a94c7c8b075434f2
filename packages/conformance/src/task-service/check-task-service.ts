import type { Random, StudyId } from '@release-task/protocol'
import type { Finding } from '../finding.ts'
import { checkTopics, type Topic, type TopicTold } from '../topic.ts'
import { CANCEL_TOPICS } from './cancel-topics.ts'
import { INPUT_TOPICS } from './input-topics.ts'
import { Kit } from './kit.ts'
import { RELEASE_TOPICS } from './release-topics.ts'
import { REPORT_TOPICS } from './report-topics.ts'
import { NobodyThere } from '../told.ts'
import { CoordinatorStandIn } from './stand-in.ts'
import { STATUS_TOPICS } from './status-topics.ts'

const TOPICS = [...STATUS_TOPICS, ...INPUT_TOPICS, ...RELEASE_TOPICS, ...CANCEL_TOPICS, ...REPORT_TOPICS]
const [{ name: WAY } = { name: '' }] = RELEASE_TOPICS
export const TASK_SERVICE_TOPICS: readonly string[] = TOPICS.map(({ name }) => name)

/** Enough to be quick, and few enough for a service that works on one task at a time. */
const AT_ONCE = 4

export interface TaskServiceCheck {
  /** The address of the service; asked for when somebody stands in for its coordinator, at this address. */
  readonly service: (coordinator: string | null) => Promise<string>
  /** Where this checker takes the coordinator's place, which the service must be told; null: nowhere. */
  readonly listen: { readonly host: string; readonly port: number } | null
  /** Part of the name of a topic: no other is checked, but for the way of a release; null: all are. */
  readonly only: string | null
  /** Of each release that it makes up. */
  readonly studies: readonly StudyId[]
  readonly token: string | null
  /** How long `stage` or `publish` of the service may take. */
  readonly withinMs: number
  /** How long reports are waited for: 1 unless the service is known to report at once. */
  readonly patience?: number
  readonly random: Random
  /** Ends the check after the topics that are under way. */
  readonly signal?: AbortSignal
  readonly told: (told: TopicTold) => void
}

/**
 * Leads tasks that it makes up through a running task service, and says what of the contract it keeps.
 * @throws Error with code EADDRINUSE where somebody else is in the coordinator's place already
 * @throws NobodyThere where nothing answers at the address of the service
 */
export async function checkTaskService(check: TaskServiceCheck): Promise<Finding[]> {
  const { listen, told, service, studies, token, withinMs, patience = 1, random, signal } = check
  const coordinator = listen ? new CoordinatorStandIn() : null
  const here = (listen && (await coordinator?.listen(listen.host, listen.port))) ?? null
  try {
    const url = (await service(here)).replace(/\/+$/, '')
    const kit = new Kit({ url, coordinator, studies, token, withinMs, patience, random })
    await expectThere(kit)
    return await checkTopics(kit, topicsOf(check), { atOnce: AT_ONCE, rule: 'SV-12', signal, told })
  } finally {
    await coordinator?.close()
  }
}

/** Better than twenty topics that wait for somebody who is not there. */
async function expectThere(kit: Kit): Promise<void> {
  const told = await kit.get('/status')
  if (told.code === 0) throw new NobodyThere(told.text)
}

/** What the way of a release shows, others wait for. */
function topicsOf({ only }: TaskServiceCheck): readonly Topic<Kit>[] {
  return only === null ? TOPICS : TOPICS.filter(({ name }) => name === WAY || name.includes(only))
}
