import { z } from 'zod'
import type { Resource } from './links.ts'

export const NO_OBJECT = 'Invalid hyperlink - Object does not exist.'
const NO_MATCH = 'Invalid hyperlink - No URL match.'

/** The contract's names of what is no text. */
const TYPE_NAMES: { readonly [type: string]: string } = { number: 'int', boolean: 'bool', object: 'dict' }

/**
 * A link in a body: an absolute address on any host, or a path (CR-7). It gives the id; whether there is such a thing is
 * not asked here.
 * @param publicUrl our own links begin with it, so they are taken with its path
 */
export function hyperlink(resource: Resource, publicUrl: string | null) {
  return link(resource, publicUrl).transform((id, context) => {
    if (id !== null) return id
    context.addIssue({ code: 'custom', message: 'This field may not be null.' })
    return z.NEVER
  })
}

/** The same of a field that may be null; a form says null by an empty text. */
export function hyperlinkOrNull(resource: Resource, publicUrl: string | null) {
  return link(resource, publicUrl)
}

function link(resource: Resource, publicUrl: string | null) {
  const prefix = publicUrl === null ? '' : new URL(publicUrl).pathname.replace(/\/$/, '')
  return z.unknown().transform((value, context): string | null => {
    if (value === null || value === '') return null
    const id = typeof value === 'string' ? idIn(pathOf(value), resource, prefix) : null
    if (id !== null) return id
    context.addIssue({ code: 'custom', message: messageFor(value) })
    return z.NEVER
  })
}

function messageFor(value: unknown): string {
  if (value === undefined) return 'This field is required.'
  if (typeof value === 'string') return NO_MATCH
  const type = Array.isArray(value) ? 'list' : (TYPE_NAMES[typeof value] ?? typeof value)
  return `Incorrect type. Expected URL string, received ${type}.`
}

function pathOf(text: string): string {
  const trimmed = text.trim()
  if (!/^https?:/i.test(trimmed)) return trimmed
  return URL.canParse(trimmed) ? new URL(trimmed).pathname : ''
}

/** Null where the path leads to something else; also with a suffix, as every address of ours may have one (CR-3). */
function idIn(path: string, resource: Resource, prefix: string): string | null {
  const own = prefix !== '' && path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : path
  const [, name, id] = /^\/([^/]+)\/([^/.?#]+)(?:\.json)?$/.exec(own) ?? []
  return name === resource && id !== undefined ? id : null
}
