import type { DiscardContext, PublishContext, StageContext } from '@release-task/task-service'

export interface FakeTaskOptions {
  readonly releaseId?: string
  readonly studies?: readonly string[]
  readonly attempt?: number
  readonly staged?: PublishContext['staged']
  readonly from?: DiscardContext['from']
  readonly signal?: AbortSignal
  /** Besides its own. */
  readonly underWay?: readonly string[]
  readonly assertCurrent?: () => Promise<void>
  readonly onProgress?: (message: string) => void
}

export interface FakeTask extends StageContext, PublishContext, DiscardContext {
  readonly told: { readonly percent: number; readonly message: string }[]
  readonly warnings: string[]
}

/** What the SDK would give to a phase, with everything that was told kept for the test to look at. */
export function fakeTask(options: FakeTaskOptions = {}): FakeTask {
  const releaseId = options.releaseId ?? 'RE_00000001'
  const studies = options.studies ?? ['SD_00000001']
  const told: FakeTask['told'] = []
  const warnings: string[] = []
  return {
    id: 'TA_00000001',
    releaseId,
    studies,
    attempt: options.attempt ?? 1,
    staged: options.staged ?? null,
    from: options.from ?? 'staged',
    signal: options.signal ?? new AbortController().signal,
    told,
    warnings,
    log: { info: () => {}, warn: (message) => void warnings.push(message), error: () => {} },
    coordinator: coordinatorOf(releaseId, studies),
    progress(percent, message = '') {
      told.push({ percent, message })
      options.onProgress?.(message)
    },
    releasesUnderWay: async () => [releaseId, ...(options.underWay ?? [])],
    step: async (_name, fn) => await fn(),
    steps: async () => ({}),
    assertCurrent: options.assertCurrent ?? (async () => {}),
  }
}

function coordinatorOf(releaseId: string, studies: readonly string[]): StageContext['coordinator'] {
  const created_at = '2024-05-01T00:00:00+00:00'
  return {
    access: async () => ({ url: 'http://127.0.0.1:1', token: null }),
    release: async () => ({
      kf_id: releaseId,
      name: 'Spring release',
      description: '',
      state: 'running',
      studies,
      version: '1.4.0',
      is_major: false,
      created_at,
    }),
    study: async (kf_id) => ({ kf_id, name: `Study ${kf_id}`, visible: true, created_at }),
  }
}
