import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { withQuery, type Api } from './api.ts'
import type {
  AuditEntry,
  Me,
  Note,
  Page,
  Release,
  ReleaseEvent,
  SignIn,
  Study,
  Task,
  TaskService,
} from './api-types.ts'
import { ApiError } from './api-error.ts'
import { joinPages } from './event-order.ts'
import { refetchMs } from './routes/release/page.model.ts'

const MOST = 1000
// A release of 1,000 tasks has about 7,000 events.
const MOST_PAGES = 20
// What no event tells: progress in lists, health, notes of others.
const UNTOLD_MS = 15 * 1000

const enc = encodeURIComponent

export const meQuery = (api: Api) =>
  queryOptions({
    queryKey: ['me'],
    queryFn: ({ signal }) => api.get<Me>('/me', signal).catch(inDevelopment(EVERYTHING)),
  })

export const signInQuery = (api: Api) =>
  queryOptions({
    queryKey: ['sign-in'],
    queryFn: ({ signal }) =>
      api.get<SignIn>('/sign-in', signal).catch(inDevelopment<SignIn>({ auth: 'off', ways: [] })),
    staleTime: 5 * 60 * 1000,
  })

export const releasesQuery = (api: Api, path: string) =>
  queryOptions({
    queryKey: ['releases', path],
    queryFn: ({ signal }) => api.get<Page<Release>>(path, signal),
    placeholderData: keepPreviousData,
    refetchInterval: UNTOLD_MS,
  })

export const releaseQuery = (api: Api, id: string) =>
  queryOptions({
    queryKey: ['release', id],
    queryFn: ({ signal }) => api.get<Release>(`/releases/${enc(id)}`, signal),
    refetchInterval: ({ state }) => refetchMs(state.data),
  })

/** All events of a release, newest first; afterwards the live feed adds to it. */
export const releaseLogQuery = (api: Api, id: string) =>
  queryOptions({
    queryKey: ['release-log', id],
    queryFn: ({ signal }) => wholeLog(api, id, signal),
    staleTime: Infinity,
  })

async function wholeLog(api: Api, release: string, signal: AbortSignal): Promise<readonly ReleaseEvent[]> {
  const pages: (readonly ReleaseEvent[])[] = []
  for (let page = 0; page < MOST_PAGES; page++) {
    const path = withQuery('/events', { release, limit: MOST, offset: page * MOST })
    const { results, next } = await api.get<Page<ReleaseEvent>>(path, signal)
    pages.push(results)
    if (next === null) break
  }
  return joinPages(pages)
}

export const tasksQuery = (api: Api, path: string) =>
  queryOptions({
    queryKey: ['tasks', path],
    queryFn: ({ signal }) => api.get<Page<Task>>(path, signal),
    placeholderData: keepPreviousData,
    refetchInterval: UNTOLD_MS,
  })

export const servicesQuery = (api: Api) =>
  queryOptions({
    queryKey: ['task-services', 'all'],
    queryFn: ({ signal }) => api.get<Page<TaskService>>(`/task-services?limit=${MOST}`, signal),
    refetchInterval: UNTOLD_MS,
  })

export const serviceQuery = (api: Api, id: string) =>
  queryOptions({
    queryKey: ['task-services', id],
    queryFn: ({ signal }) => api.get<TaskService>(`/task-services/${enc(id)}`, signal),
    refetchInterval: UNTOLD_MS,
  })

export const studiesQuery = (api: Api) =>
  queryOptions({
    queryKey: ['studies', 'all'],
    queryFn: ({ signal }) => api.get<Page<Study>>(`/studies?limit=${MOST}`, signal),
    staleTime: 60 * 1000,
  })

export const studyQuery = (api: Api, id: string) =>
  queryOptions({
    queryKey: ['studies', id],
    queryFn: ({ signal }) => api.get<Study>(`/studies/${enc(id)}`, signal),
  })

export const notesQuery = (api: Api, path: string) =>
  queryOptions({
    queryKey: ['release-notes', path],
    queryFn: ({ signal }) => api.get<Page<Note>>(path, signal),
    placeholderData: keepPreviousData,
    refetchInterval: UNTOLD_MS,
  })

/** @param follow whether new events appear by themselves; else what was read stays as it is */
export const eventsQuery = (api: Api, path: string, follow: boolean) =>
  queryOptions({
    queryKey: [follow ? 'events' : 'events-held', path],
    queryFn: ({ signal }) => api.get<Page<ReleaseEvent>>(path, signal),
    placeholderData: keepPreviousData,
    ...(follow ? {} : { staleTime: Infinity }),
  })

export const auditQuery = (api: Api, path: string, follow: boolean) =>
  queryOptions({
    queryKey: ['audit', path],
    queryFn: ({ signal }) => api.get<Page<AuditEntry>>(path, signal),
    placeholderData: keepPreviousData,
    refetchInterval: follow ? 3000 : false,
  })

const EVERYTHING: Me = {
  subject: null,
  roles: [],
  permissions: [
    'release.create',
    'release.edit',
    'release.publish',
    'release.cancel',
    'note.write',
    'service.write',
    'service.check',
    'study.sync',
    'audit.read',
  ],
}

/** A coordinator that is older than the page does not say who one is; only the dev server lets that pass. */
function inDevelopment<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if (import.meta.env.DEV && error instanceof ApiError && error.status === 404) return instead
    throw error
  }
}
