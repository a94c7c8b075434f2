/** A route that a running application has. */
export interface Route {
  readonly method: string
  /** With `:id` where an id stands. */
  readonly path: string
}

const LINE = /^(.*?)[└├]── (\S+)(?: \((.*)\))?$/

/** The routes in the tree that an application prints of itself: what is added later is here without being named. */
export function routesOf(printed: string): Route[] {
  const above: string[] = []
  return printed.split('\n').flatMap((line) => {
    const [, indent = '', name = '', methods = ''] = LINE.exec(line) ?? []
    if (name === '') return []
    const depth = indent.length / 4
    const path = `${above[depth - 1] ?? ''}${name}`
    above[depth] = path
    return methods === '' ? [] : methods.split(', ').map((method) => ({ method, path }))
  })
}

export const isWrite = ({ method }: Route): boolean => ['POST', 'PUT', 'PATCH', 'DELETE'].includes(method)

/**
 * Other ways to write a path that a router may take for the same: each static part with its first letter encoded,
 * doubled slashes, a query, a slash at the end, a dot.
 */
export function spellingsOf(path: string): string[] {
  const parts = path.split('/').slice(1)
  const encoded = parts.flatMap((part, index) => {
    if (part === '') return []
    const hidden = `%${part.charCodeAt(0).toString(16)}${part.slice(1)}`
    return [`/${parts.with(index, hidden).join('/')}`]
  })
  return [path, ...encoded, `/${path}`, path.replaceAll('/', '///'), `${path}?x=1`, `${path}/`, `${path};x`]
}
