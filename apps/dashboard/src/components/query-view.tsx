import { Button, Skeleton } from '@mantine/core'
import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { isOld } from '../connection.ts'
import { clockText } from '../times.ts'
import { ErrorNotice, Notice } from './notice.tsx'
import { useConnection } from './use-page.ts'

/** Shows data, or that it is on its way, or why there is none; old data is never shown without a word. */
export function QueryView<T>({
  query,
  children,
}: {
  readonly query: UseQueryResult<T>
  readonly children: (data: T) => ReactNode
}) {
  const isLost = isOld(useConnection())
  if (query.data === undefined) return query.error ? <Failed query={query} /> : <Loading />
  return (
    <>
      {/* Of a connection that is lost the page speaks once, above everything. */}
      {query.error && !isLost && (
        <Notice tone="warning" title={`As of ${clockText(query.dataUpdatedAt)}.`}>
          It could not be read again: {query.error.message}
        </Notice>
      )}
      {children(query.data)}
    </>
  )
}

function Failed({ query }: { readonly query: Pick<UseQueryResult, 'error' | 'refetch' | 'isFetching'> }) {
  return (
    <>
      <ErrorNotice error={query.error} />
      <Button size="xs" variant="default" loading={query.isFetching} onClick={() => void query.refetch()}>
        Try again
      </Button>
    </>
  )
}

function Loading() {
  return (
    <div aria-busy="true" className="stack">
      <span className="visually-hidden">Loading</span>
      {[1, 2, 3, 4].map((line) => (
        <Skeleton key={line} height={20} />
      ))}
    </div>
  )
}
