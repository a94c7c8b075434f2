import { fileURLToPath } from 'node:url'
import { DatabaseError } from './errors.ts'

/** Where a database is, by the form of its address. */
export type Address =
  { readonly kind: 'sqlite'; readonly path: string } | { readonly kind: 'postgresql'; readonly url: string }

/** @throws DatabaseError DATABASE_URL_INVALID */
export function parseAddress(url: string): Address {
  const path = sqlitePath(url)
  if (path) return { kind: 'sqlite', path }
  if (/^postgres(ql)?:\/\//.test(url) && URL.canParse(url)) return { kind: 'postgresql', url }
  // One that was not understood may have its password anywhere.
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0] ?? ''
  throw new DatabaseError(
    'DATABASE_URL_INVALID',
    `DATABASE_URL=${scheme}…: write sqlite:PATH or postgres://USER@HOST/DATABASE`,
  )
}

/** Whether the address is a server's, which processes on many hosts may share. */
export function isServer(url: string): boolean {
  return parseAddress(url).kind === 'postgresql'
}

/** The path of a `sqlite:` address, which may be relative to the working folder. */
export function sqlitePath(url: string): string | null {
  if (url.startsWith('file:')) return fileURLToPath(url)
  return url.startsWith('sqlite:') ? url.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, '') : null
}

/** An address as it may be shown: without user and password, whatever they hold. */
export function redacted(url: string): string {
  const bare = url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^?]*@/i, '$1…@')
  return bare.replaceAll(/((?:password|user)=)[^&]*/gi, '$1…')
}
