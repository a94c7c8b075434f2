/** A version of a release, `major.minor.patch` (RC-28, RC-29). */
interface Parts {
  readonly major: number
  readonly minor: number
  readonly patch: number
}

function parse(version: string): Parts {
  const [major, minor, patch] = version.split('.').map(Number)
  return { major: major ?? 0, minor: minor ?? 0, patch: patch ?? 0 }
}

/** The version of a new release: the first is 0.0.0, then the next patch after the highest there is (`''`: none). */
export function candidateVersion(latest: string): string {
  if (latest === '') return '0.0.0'
  const { major, minor, patch } = parse(latest)
  return `${major}.${minor}.${patch + 1}`
}

/** The version that a release gets when it is published: the next major or minor after the highest there is. */
export function publishedVersion(latest: string, isMajor: boolean): string {
  const { major, minor } = parse(latest)
  return isMajor ? `${major + 1}.0.0` : `${major}.${minor + 1}.0`
}
