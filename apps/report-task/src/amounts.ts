/** `1,234,567` */
export function grouped(count: number): string {
  return count.toLocaleString('en-US')
}

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB']

/** `70.3 MB`; units are powers of a thousand. */
export function byteText(bytes: number): string {
  let [amount, unit] = [bytes, 0]
  while (unit < UNITS.length - 1 && Number(amount.toFixed(1)) >= 1000)
    [amount, unit] = [amount / 1000, unit + 1]
  return `${unit === 0 ? grouped(amount) : amount.toFixed(1)} ${UNITS[unit]}`
}

/** `12.3 %` of the whole; nothing is rounded down to zero or up to all. */
export function shareText(part: number, whole: number): string {
  if (part === 0 || whole === 0) return '0 %'
  const percent = (100 * part) / whole
  if (percent < 0.1) return '< 0.1 %'
  if (part < whole && percent > 99.9) return '> 99.9 %'
  return part === whole ? '100 %' : `${percent.toFixed(1)} %`
}
