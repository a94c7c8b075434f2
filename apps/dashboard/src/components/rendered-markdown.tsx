import type { ComponentProps } from 'react'
import ReactMarkdown from 'react-markdown'

/** Links leave the page without telling where from. */
function ForeignLink({ href, children }: Pick<ComponentProps<'a'>, 'href' | 'children'>) {
  return (
    <a href={href} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  )
}

/** A picture from elsewhere would tell its server who reads this: it is a link until somebody asks for it. */
function PictureLink({ src, alt }: Pick<ComponentProps<'img'>, 'src' | 'alt'>) {
  return <ForeignLink href={src}>{`Picture: ${alt || src}`}</ForeignLink>
}

/** Headings of a text are parts of the page, not its title. */
const COMPONENTS = {
  a: ForeignLink,
  img: PictureLink,
  h1: 'h3',
  h2: 'h3',
  h3: 'h4',
  h4: 'h5',
  h5: 'h6',
} as const

/** Markdown without any raw HTML: react-markdown leaves it out as text, and no plugin lets it in. */
export default function RenderedMarkdown({ text }: { readonly text: string }) {
  return (
    <div className="markdown">
      <ReactMarkdown components={COMPONENTS}>{text}</ReactMarkdown>
    </div>
  )
}
