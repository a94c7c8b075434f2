import type { ReactNode } from 'react'
import { ApiError } from '../api-error.ts'

export interface NoticeProps {
  readonly tone: 'info' | 'warning' | 'error'
  readonly title?: string
  readonly children?: ReactNode
}

const SIGNS = { info: 'i', warning: '!', error: '✕' } as const

/** Something that a person should read before going on. */
export function Notice({ tone, title, children }: NoticeProps) {
  return (
    <div className="notice" data-tone={tone} role={tone === 'error' ? 'alert' : 'note'}>
      <span aria-hidden="true" className="notice-sign">
        {SIGNS[tone]}
      </span>
      <div>
        {title && <strong>{title} </strong>}
        {children}
      </div>
    </div>
  )
}

/** What went wrong, in the words of whoever knows. */
export function ErrorNotice({ error, title }: { readonly error: unknown; readonly title?: string }) {
  const message = error instanceof Error ? error.message : String(error)
  const isUnknown = error instanceof Error && !(error instanceof ApiError)
  return (
    <Notice tone="error" {...(title === undefined ? {} : { title })}>
      {message}
      {isUnknown && ' Reload the page; if it happens again, tell who runs the coordinator.'}
    </Notice>
  )
}

/** Nothing is there; says what to do next. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ReactNode }) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {children && <div>{children}</div>}
    </div>
  )
}
