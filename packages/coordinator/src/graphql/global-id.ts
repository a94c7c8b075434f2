import { createHash } from 'node:crypto'
import { GraphQLError } from 'graphql'

export type NodeType =
  'ReleaseNode' | 'TaskNode' | 'TaskServiceNode' | 'EventNode' | 'ReleaseNoteNode' | 'StudyNode' | 'UserNode'

/** The id of a node among all nodes: clients make it themselves from the type and our id (GQ-2). */
export function globalId(type: NodeType, key: string): string {
  return Buffer.from(`${type}:${key}`).toString('base64')
}

/** What a global id says; null where it is none. Whether there is such a node is not asked here. */
export function readGlobalId(id: string): { readonly type: string; readonly key: string } | null {
  const bytes = Buffer.from(id, 'base64')
  // Node skips what is no base64; an id that is not written as we write it is not one of ours.
  if (bytes.toString('base64') !== id) return null
  const [, type, key] = /^(\w+):([\w-]+)$/.exec(bytes.toString('latin1')) ?? []
  return type === undefined || key === undefined ? null : { type, key }
}

/**
 * The key of the one node that is asked for; null where the text is no id.
 * @throws GraphQLError where it is the id of something else
 */
export function keyAsked(type: NodeType, id: string): string | null {
  const read = readGlobalId(id)
  if (read && read.type !== type) throw new GraphQLError(`Must receive a ${type} id.`)
  return read?.key ?? null
}

/**
 * The key that a list is narrowed to; null where it is not narrowed.
 * @throws GraphQLError where the text is no id of this type: to ignore it would answer everything (F-67)
 */
export function keyFilter(type: NodeType, id: string | null | undefined): string | null {
  if (id === null || id === undefined) return null
  const read = readGlobalId(id)
  if (read?.type !== type) throw new GraphQLError(`Must receive a ${type} id.`)
  return read.key
}

/** The form of our own ids: nothing else can be part of an address. */
const KEY = /^[A-Z]{2}_\w{8}$/
/** Stands for an id that there cannot be. */
const NOBODY = 'none'

/** The key for an address of the REST API; what is no id of this type leads to nothing there. */
export function keyInAddress(type: NodeType, id: string | null): string {
  const read = readGlobalId(id ?? '')
  return read?.type === type && KEY.test(read.key) ? read.key : NOBODY
}

/** We keep no UUIDs: each is made from the id, so that it is the same each time (GQ-3). */
export function uuidOf(key: string): string {
  const hash = createHash('sha1').update(`release-coordinator/${key}`).digest()
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50 // version 5: named by a hash
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80
  return hash.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
