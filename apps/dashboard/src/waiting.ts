import type { WaitingFor } from './api-types.ts'
import { lengthText, relativeText } from './times.ts'

const WHOM: { readonly [whom in WaitingFor['whom']]: string } = {
  action: 'the coordinator',
  code: 'the service’s own code',
  coordinator: 'the coordinator',
  service: 'a service',
  person: 'a person',
}

/** What something waits for, as one sentence with every time that matters. Pure. */
export function waitingSentence(waiting: WaitingFor | null, now: number): string {
  if (waiting === null) return 'It has ended and waits for nothing.'
  const since = `for ${lengthText(now - Date.parse(waiting.since))}`
  return unbroken([`${capital(waiting.what)}, ${since}`, ...details(waiting, now)].join('; ') + '.')
}

function details({ attempt, last_error, next_try, gives_up_at }: WaitingFor, now: number): string[] {
  const at = (time: string) => relativeText(Date.parse(time), now)
  return [
    ...(attempt === null || attempt < 2 ? [] : [`attempt ${attempt}`]),
    ...(next_try === null || attempt === null || attempt < 2 ? [] : [`next try ${at(next_try)}`]),
    ...(last_error === null ? [] : [`last error: ${last_error.replace(/\.$/, '')}`]),
    ...(gives_up_at === null ? [] : [`gives up ${at(gives_up_at)}`]),
  ]
}

/** Whom it waits for. Pure. */
export function waitingWhom(waiting: WaitingFor): string {
  return WHOM[waiting.whom] ?? waiting.whom
}

/** A text as a sentence begins. Pure. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** No line ends between a number and its unit. Pure. */
function unbroken(text: string): string {
  return text.replaceAll(/(\d) (s|min|h|d)\b/g, '$1\u00a0$2')
}
