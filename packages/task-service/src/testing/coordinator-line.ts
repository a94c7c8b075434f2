import type { Answer } from '@release-task/http'
import type { Report } from '@release-task/protocol'
import type { CoordinatorClient } from '../coordinator-client.ts'
import type { CoordinatorInProcess } from './fake-coordinator.ts'
import type { Fence } from './fenced.ts'
import { never } from './moments.ts'
import type { Host } from './watched-task.ts'

/** The coordinator as one process reaches it. */
export function clientOf(
  coordinator: CoordinatorInProcess,
  fence: Fence,
  host: Pick<Host, 'passNow' | 'end'>,
): CoordinatorClient {
  const report = async (sent: Report): Promise<Answer> => {
    const answer = coordinator.report(sent)
    if (!host.passNow(`${whatIsReported(sent) as 'staged'} reported`)) return answer
    await host.end()
    return never()
  }
  return {
    access: () => fence(async () => ({ url: 'http://coordinator.test', token: null })),
    report: (_id, sent) => fence(() => report(sent)),
    task: () => fence(async () => coordinator.task()),
    release: () => fence(async () => coordinator.release()),
    study: (id) => fence(async () => coordinator.study(id)),
  }
}

function whatIsReported({ state, progress }: Report): string {
  return state ?? (progress === undefined ? 'attempt' : 'progress')
}
