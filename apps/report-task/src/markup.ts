/** Markup that may stand in a page as it is. Only `html` makes it, so that no text from outside can pass as it. */
export class Markup {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  toString(): string {
    return this.#text
  }
}

/** What may be put into markup: everything that is not markup itself is escaped. */
export type Content = string | number | Markup | readonly Content[]

/**
 * Markup with content put in, between tags or as the value of an attribute in quotes. How the template is indented
 * in its source file does not get into the page.
 */
export function html(strings: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  const lines = strings.map((string) => string.replaceAll(/\s*\n\s*/g, '\n'))
  return new Markup(String.raw({ raw: lines }, ...contents.map(markupOf)))
}

function markupOf(content: Content): string {
  if (content instanceof Markup) return content.toString()
  if (Array.isArray(content)) return content.map(markupOf).join('')
  return escaped(String(content))
}

const ESCAPES: { readonly [character: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? '')
}
