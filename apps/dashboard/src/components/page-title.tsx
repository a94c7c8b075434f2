import { useDocumentTitle } from '@mantine/hooks'
import type { ReactNode } from 'react'

/** The heading of a page and of its tab, with what can be done here. */
export function PageTitle({
  title,
  children,
  beside,
}: {
  readonly title: string
  readonly children?: ReactNode
  readonly beside?: ReactNode
}) {
  useDocumentTitle(`${title} · Release coordinator`)
  return (
    <div className="page-title">
      <h1>{title}</h1>
      {beside}
      <div className="page-actions">{children}</div>
    </div>
  )
}
