/**
 * What all paths of this page begin with, without a slash at the end: empty, unless a proxy has put the coordinator under
 * a path. What a page says of its root (CR-45) is relative to its own address. Pure.
 */
export function rootPathOf(said: string, address: string): string {
  // The development server says nothing, and has no path.
  if (!/^[./]/.test(said)) return ''
  // Two slashes at the beginning would be another machine.
  return new URL(said, address).pathname.replaceAll(/\/{2,}/g, '/').replace(/\/$/, '')
}

let known: string | null = null

/** The same for the page that is open; by its first address, because later ones are made by the page itself. */
export function rootPath(): string {
  known ??= rootPathOf(
    document.querySelector<HTMLMetaElement>('meta[name="root"]')?.content ?? '',
    location.href,
  )
  return known
}
