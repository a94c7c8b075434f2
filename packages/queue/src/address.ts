import { QueueError } from './errors.ts'

const FORM = /^rediss?:\/\/[^/?#]+(\/\d*)?$/

/** @throws QueueError QUEUE_URL_INVALID where this is not `redis://…` or `rediss://…` */
export function checkAddress(url: string): void {
  if (FORM.test(url) && URL.canParse(url)) return
  throw new QueueError(
    'QUEUE_URL_INVALID',
    `The queue cannot be opened at ${shown(url)}: write redis://HOST:PORT, or rediss://HOST:PORT for TLS`,
  )
}

/** @throws QueueError QUEUE_NAME_INVALID */
export function checkName(name: string): void {
  if (name !== '' && !name.includes(':')) return
  throw new QueueError('QUEUE_NAME_INVALID', `The queue cannot be named "${name}": choose a name without ":"`)
}

/** An address as it may be shown. One that was not understood may have its password anywhere: only its scheme. */
function shown(url: string): string {
  if (!URL.canParse(url)) return 'this address'
  const { protocol, host } = new URL(url)
  return host === '' ? `"${protocol}…"` : `"${protocol}//${host}/…"`
}
