import { Suspense, lazy } from 'react'
import { part } from '../stale-build.ts'

const Rendered = lazy(part(() => import('./rendered-markdown.tsx')))

/** Markdown as text with form; it is loaded when the first one is shown. */
export function Markdown({ text }: { readonly text: string }) {
  return (
    <Suspense fallback={<p className="prewrap">{text}</p>}>
      <Rendered text={text} />
    </Suspense>
  )
}
