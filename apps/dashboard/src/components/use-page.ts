import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useSyncExternalStore } from 'react'
import { isOld, type Connection } from '../connection.ts'
import { usePageParts } from '../page-parts.ts'
import {
  firstHindrance,
  oldHindrance,
  roleHindrance,
  type Hindrance,
  type Permission,
} from '../permissions.ts'
import { meQuery, signInQuery, studiesQuery } from '../queries.ts'
import type { Session } from '../session.ts'
import { announce } from './announcer.tsx'
import { useNow } from './now.ts'

/** How the page hears of changes just now. */
export function useConnection(): Connection {
  const { live } = usePageParts()
  return useSyncExternalStore(live.subscribe, live.state)
}

/** The moment up to which the page knows: while the connection is lost, nothing goes on in what it shows. */
export function useKnownNow(pace: 'second' | 'slow' = 'second'): number {
  const now = useNow(pace)
  const connection = useConnection()
  return connection.kind === 'lost' ? Math.min(now, connection.since) : now
}

/** Who uses the page, as far as the page knows. */
export function useSession(): Session {
  const { session } = usePageParts()
  return useSyncExternalStore(session.subscribe, session.state)
}

/** What hinders the person from changing something; null: nothing does. */
export function useHindrance(permission: Permission): Hindrance {
  const role = useRoleHindrance(permission)
  const old = oldHindrance(isOld(useConnection()))
  return firstHindrance(role, old)
}

/** What hinders the person by the role alone: for what is only read. */
export function useRoleHindrance(permission: Permission): Hindrance {
  const { api } = usePageParts()
  const { data } = useQuery(meQuery(api))
  return roleHindrance(data, permission)
}

/** As whom the person acts, for dialogs. */
export function useActorName(): string {
  const { api } = usePageParts()
  const me = useQuery(meQuery(api)).data
  const isOff = useQuery(signInQuery(api)).data?.auth === 'off'
  if (isOff) return 'anybody (sign-in is switched off)'
  return me?.subject ?? 'somebody who is not signed in'
}

/** Names of studies by their ids; an id that is not known is its own name. */
export function useStudyNames(): (id: string) => string {
  const { api } = usePageParts()
  const names = new Map(useQuery(studiesQuery(api)).data?.results.map((study) => [study.kf_id, study.name]))
  return (id) => names.get(id) ?? id
}

/** The filters of a page in its address; a changed filter begins at the first page again. */
export function usePageSearch<S extends Readonly<Record<string, string | undefined>>>(
  read: (search: Readonly<Record<string, unknown>>) => S,
): readonly [S, (change: Partial<S>) => void] {
  const search = read(useSearch({ strict: false }))
  const navigate = useNavigate()
  const change = (next: Partial<S>) => {
    const merged = { ...search, offset: undefined, ...next }
    void navigate({ to: '.', search: merged as never, replace: true })
  }
  return [search, change]
}

/** A change that the person asks for: what it made old is read again, and what came of it is said. */
export function useChange<Input, Output>(options: {
  readonly run: (input: Input) => Promise<Output>
  readonly touches: readonly (readonly string[])[]
  readonly said: (output: Output) => string
  readonly onDone?: (output: Output) => void
}) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: options.run,
    onSuccess: (output) => {
      announce(options.said(output))
      options.onDone?.(output)
    },
    // Also after a failure: it may have been done though no answer came.
    onSettled: () =>
      Promise.all(options.touches.map((queryKey) => queries.invalidateQueries({ queryKey: [...queryKey] }))),
  })
}
