import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Link,
  Navigate,
  type ErrorComponentProps,
} from '@tanstack/react-router'
import { useEffect } from 'react'
import { Empty, ErrorNotice } from './components/notice.tsx'
import { Shell } from './components/shell.tsx'
import { usePageParts } from './page-parts.ts'
import { rootPath } from './root-path.ts'
import { parseSearch, stringifySearch } from './search-text.ts'
import { mayReload, part, PartMissing } from './stale-build.ts'

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: Broken })

const routes = [
  createRoute({ getParentRoute: () => root, path: '/', component: Start }),
  createRoute({
    getParentRoute: () => root,
    path: '/releases',
    component: lazyRouteComponent(part(() => import('./routes/releases/page.tsx'))),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/releases/new',
    component: lazyRouteComponent(part(() => import('./routes/release-new/page.tsx'))),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/releases/$id',
    component: lazyRouteComponent(part(() => import('./routes/release/page.tsx'))),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/task-services',
    component: lazyRouteComponent(part(() => import('./routes/task-services/page.tsx'))),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/task-services/$id',
    component: lazyRouteComponent(part(() => import('./routes/task-service/page.tsx'))),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/studies',
    component: lazyRouteComponent(part(() => import('./routes/studies/page.tsx'))),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/studies/$id',
    component: lazyRouteComponent(part(() => import('./routes/study/page.tsx'))),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/events',
    component: lazyRouteComponent(part(() => import('./routes/events/page.tsx'))),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/audit',
    component: lazyRouteComponent(part(() => import('./routes/audit/page.tsx'))),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/tasks',
    component: lazyRouteComponent(part(() => import('./routes/tasks/page.tsx'))),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/release-notes',
    component: lazyRouteComponent(part(() => import('./routes/release-notes/page.tsx'))),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/signed-in',
    component: lazyRouteComponent(part(() => import('./routes/signed-in/page.tsx'))),
  }),
] as const

/** Every page by its path, which is also the path of the resource. */
export const router = createRouter({
  routeTree: root.addChildren(routes),
  basepath: rootPath() || '/',
  parseSearch,
  stringifySearch,
  scrollRestoration: true,
  defaultPreload: 'intent',
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}

function Start() {
  return <Navigate to="/releases" replace />
}

function NotFound() {
  return (
    <>
      <h1>No such page</h1>
      <Empty title="Nothing is at this address.">
        Look for it among the <Link to="/releases">releases</Link>.
      </Empty>
    </>
  )
}

function Broken({ error }: ErrorComponentProps) {
  const { store } = usePageParts()
  useEffect(() => {
    if (error instanceof PartMissing && mayReload(store, Date.now())) location.reload()
  }, [error, store])
  return (
    <>
      <h1>This page could not be shown</h1>
      <ErrorNotice error={error} />
    </>
  )
}
