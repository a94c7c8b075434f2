import { QueryCache, QueryClient } from '@tanstack/react-query'
import { createContext, useContext } from 'react'
import { createApi, type Api } from './api.ts'
import { ApiError } from './api-error.ts'
import type { ReleaseEvent } from './api-types.ts'
import { Coalescer } from './coalesce.ts'
import { LiveFeed } from './live.ts'
import { addToLogs } from './release-log.ts'
import { rootPath } from './root-path.ts'
import { openStore, SessionStore, type Store } from './session.ts'
import { touchedByAll } from './touched.ts'

// At most two refetches a second for each query, however many events come.
const SPACING_MS = 500

/** What lives as long as the page. */
export interface PageParts {
  readonly api: Api
  readonly session: SessionStore
  readonly store: Store
  readonly live: LiveFeed
  readonly queries: QueryClient
}

export const PageContext = createContext<PageParts | null>(null)

/** What lives as long as the page, for components. */
export function usePageParts(): PageParts {
  const parts = useContext(PageContext)
  if (!parts) throw new Error('PageContext is missing')
  return parts
}

/** Makes everything once and connects it; begins to listen. */
export function createPageParts(): PageParts {
  const store = openStore(() => sessionStorage)
  const session = new SessionStore(store)
  const denied = (token: string, path: string) => {
    if (path === '/me') session.expire(token)
    else void queries.invalidateQueries({ queryKey: ['me'] })
  }
  const api = createApi({ root: rootPath(), token: session.token, denied })
  const queries = createQueries((error) => {
    if (error instanceof ApiError && error.isSilence) void live.doubt()
  })
  const live = createLive(api, queries)
  session.subscribe(() => {
    void queries.resetQueries()
    live.restart()
  })
  void live.run()
  listenToWaking(live)
  return { api, session, store, live, queries }
}

function createQueries(failed: (error: Error) => void): QueryClient {
  return new QueryClient({
    queryCache: new QueryCache({ onError: failed }),
    defaultOptions: {
      // The live feed says when to look again; trying again by itself would only hide a failure for a while.
      queries: { retry: false, networkMode: 'always', staleTime: 2000 },
      mutations: { retry: false, networkMode: 'always' },
    },
  })
}

function createLive(api: Api, queries: QueryClient): LiveFeed {
  const clock = {
    now: () => performance.now(),
    after: (ms: number, what: () => void) => void setTimeout(what, ms),
  }
  const again = (key: string) =>
    queries.invalidateQueries({ queryKey: JSON.parse(key) as string[], predicate: isFollowed })
  const coalescer = new Coalescer(again, SPACING_MS, clock)
  const take = (events: readonly ReleaseEvent[]) => {
    for (const id of addToLogs(queries, events)) coalescer.touch(JSON.stringify(['release-log', id]))
    for (const key of touchedByAll(events)) coalescer.touch(JSON.stringify(key))
  }
  return new LiveFeed({
    open: (lastEventId, signal) => api.stream('/events/stream', lastEventId, signal),
    probe: (signal) => api.get('/events?limit=1', signal),
    take,
    resync: () => coalescer.touch('[]'),
  })
}

/** What a person holds still to read it does not change under their eyes. */
const isFollowed = ({ queryKey }: { readonly queryKey: readonly unknown[] }) => queryKey[0] !== 'events-held'

function listenToWaking(live: LiveFeed): void {
  addEventListener('online', () => live.restart())
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') live.awake()
  })
}
