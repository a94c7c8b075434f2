import type { Release, Task, Waiting } from './documents.ts'

export function aWaiting(fields: Partial<Waiting> = {}): Waiting {
  return {
    whom: 'service',
    what: 'waits for the service to report staged',
    since: '2030-01-01T10:00:00.000Z',
    attempt: null,
    last_error: null,
    next_try: null,
    gives_up_at: null,
    ...fields,
  }
}

export function aTask(fields: Partial<Task> = {}): Task {
  return {
    kf_id: 'TA_00000001',
    state: 'running',
    progress: 43,
    release: 'http://host/releases/RE_00000001',
    task_service: 'http://host/task-services/TS_00000001',
    created_at: '2030-01-01T10:00:00.000000Z',
    service_name: 'reference-task',
    message: '1 of 2 rows',
    summary: null,
    attempt: 1,
    last_error: null,
    waiting_for: aWaiting(),
    ...fields,
  }
}

export function aRelease(fields: Partial<Release> = {}): Release {
  return {
    kf_id: 'RE_00000001',
    name: 'June',
    description: '',
    state: 'running',
    version: '0.0.0',
    created_at: '2030-01-01T10:00:00.000000Z',
    tags: [],
    author: 'ada',
    is_major: false,
    reason: null,
    studies: ['SD_00000001'],
    tasks: [aTask()],
    waiting_for: aWaiting({ what: 'waits for the service to report staged (1 of 1 tasks)' }),
    partially_published: [],
    ...fields,
  }
}
