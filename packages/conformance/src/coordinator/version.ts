/** Whether a version of three numbers comes after another one. */
export function isLater(version: string, before: string): boolean {
  const [ours, theirs] = [version, before].map((text) => text.split('.').map(Number))
  const place = ours?.findIndex((number, index) => number !== theirs?.[index]) ?? -1
  return place >= 0 && (ours?.[place] ?? 0) > (theirs?.[place] ?? 0)
}
