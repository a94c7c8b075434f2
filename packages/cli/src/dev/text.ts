// oxlint-disable-next-line no-control-regex -- the escape character is what is looked for
const ESCAPE = /\u001B\[[0-9;]*m/y

/** Cuts to `width` visible characters; colors count nothing and are closed again. */
export function cut(text: string, width: number): string {
  let visible = 0
  let out = ''
  for (let index = 0; index < text.length;) {
    ESCAPE.lastIndex = index
    const escape = ESCAPE.exec(text)?.[0]
    if (escape) out += escape
    else if (visible < width) {
      out += text[index]
      visible++
    }
    index += escape?.length ?? 1
  }
  return out
}

/** `1,234,567` */
export const count = (value: number): string => value.toLocaleString('en')

/** `70.3 MB` */
export function bytes(value: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB']
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, value)) / 3)))
  return power === 0 ? `${value} bytes` : `${(value / 1000 ** power).toFixed(1)} ${units[power]}`
}

/** `4.2 s`, `3 min 5 s`, `2 h 10 min` */
export function span(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 60
    ? `${minutes} min ${seconds % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** A summary as words: `studies 3, rows 100,000`. Only what is short enough to read. */
export function summaryWords(summary: Readonly<Record<string, unknown>>): string {
  return Object.entries(summary)
    .flatMap(([key, value]) => {
      const name = key.replaceAll('_', ' ')
      if (typeof value === 'number') return [key === 'bytes' ? bytes(value) : `${name} ${count(value)}`]
      return typeof value === 'string' ? [`${name} ${value}`] : []
    })
    .join(', ')
}

/** Breaks at spaces into lines of at most `width`; the first keeps its own indent, those after it get `indent` more. */
export function wrap(text: string, width: number, indent: string): string[] {
  const lead = /^ */.exec(text)?.[0] ?? ''
  const [first = '', ...words] = text.slice(lead.length).split(' ')
  const lines = [lead + first]
  for (const word of words) {
    const longer = `${lines.at(-1)} ${word}`
    if (longer.length > width) lines.push(lead + indent + word)
    else lines[lines.length - 1] = longer
  }
  return lines
}
