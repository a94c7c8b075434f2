interface Range {
  readonly type: string
  readonly quality: number
}

/**
 * Whether `Accept` ranks HTML above JSON (CR-45). Who names neither, or takes anything, gets JSON; a browser's own
 * header gets HTML.
 */
export function prefersHtml(accept: string | undefined): boolean {
  const ranges = (accept ?? '').split(',').map(rangeOf)
  return qualityOf(ranges, 'text', 'html') > qualityOf(ranges, 'application', 'json')
}

/** One element of `Accept`, such as `text/html;q=0.9`; a quality that cannot be read is none. */
function rangeOf(element: string): Range {
  const [type = '', ...parameters] = element.split(';').map((part) => part.trim().toLowerCase())
  const written = parameters.find((one) => one.startsWith('q='))?.slice(2) ?? '1'
  return { type, quality: /^(0(\.\d*)?|1(\.0*)?)$/.test(written) ? Number(written) : 0 }
}

/** The narrowest range counts, whatever it ranks: `text/html;q=0, *\/*` has no room for HTML. */
function qualityOf(ranges: readonly Range[], type: string, subtype: string): number {
  for (const wanted of [`${type}/${subtype}`, `${type}/*`, '*/*']) {
    const found = ranges.filter((range) => range.type === wanted)
    if (found.length > 0) return Math.max(...found.map(({ quality }) => quality))
  }
  return 0
}
