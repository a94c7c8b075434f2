import type { Random, StudyId } from '@release-task/protocol'
import type { Finding } from '../finding.ts'
import { checkTopics, type TopicTold } from '../topic.ts'
import { ANSWER_TOPICS } from './answer-topics.ts'
import { CoordinatorApi } from './api.ts'
import { CANCEL_TOPICS } from './cancel-topics.ts'
import { FORMAT_TOPICS } from './format-topics.ts'
import { Kit } from './kit.ts'
import { POLL_TOPICS } from './poll-topics.ts'
import { PUBLISH_TOPICS } from './publish-topics.ts'
import { REGISTRATION_TOPICS } from './registration-topics.ts'
import { RELEASE_TOPICS } from './release-topics.ts'
import { REPORT_TOPICS } from './report-topics.ts'
import { chooseStudy, refuseOthers, tryRegistration } from './safety.ts'

const TOPICS = [
  ...RELEASE_TOPICS,
  ...FORMAT_TOPICS,
  ...REGISTRATION_TOPICS,
  ...REPORT_TOPICS,
  ...ANSWER_TOPICS,
  ...CANCEL_TOPICS,
  ...PUBLISH_TOPICS,
  ...POLL_TOPICS,
]
export const COORDINATOR_TOPICS: readonly string[] = TOPICS.map(({ name }) => name)

export interface CoordinatorCheck {
  readonly url: string
  /** One that may do everything; null: the coordinator asks for none. */
  readonly token: string | null
  /** Where the stand-ins for task services listen, and where the coordinator reaches them. */
  readonly listenHost: string
  /** Of each release that is made; null: the first one of the coordinator that is visible. */
  readonly study: StudyId | null
  /** How long the coordinator may take for one step. */
  readonly withinMs: number
  readonly random: Random
  /** Ends the check after the topic that is under way, with nothing of it left. */
  readonly signal?: AbortSignal
  readonly told: (told: TopicTold) => void
}

/**
 * Leads releases through a running coordinator, in services that it plays itself, and says what of the contract the
 * coordinator keeps. All enabled services take part in every release, so the topics go one at a time.
 * @param only the topics that are checked, by their names
 * @throws CheckRefused where the check cannot be made safely; then no release was made
 * @throws NobodyThere where nothing answers at the address of the coordinator
 */
export async function checkCoordinator(
  check: CoordinatorCheck,
  only: readonly string[] = COORDINATOR_TOPICS,
): Promise<Finding[]> {
  const { listenHost, withinMs, random, signal, told } = check
  const api = new CoordinatorApi(check.url, check.token)
  await refuseOthers(api)
  const study = await chooseStudy(api, check.study)
  const kit = new Kit({ api, listenHost, study, withinMs, random })
  try {
    await tryRegistration(kit)
    const topics = TOPICS.filter(({ name }) => only.includes(name))
    return await checkTopics(kit, topics, { atOnce: 1, rule: 'RC-1', signal, told })
  } finally {
    await kit.close()
  }
}
