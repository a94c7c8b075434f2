// What becomes of one request on a troubled line. Pure: chance is an argument.
import type { Random } from './random.ts'

export type Fate =
  /** Passed on, and the answer passed back. */
  | { readonly type: 'pass' }
  /** Never arrives; the caller sees the connection end. */
  | { readonly type: 'drop' }
  /** Arrives, and the answer is lost. */
  | { readonly type: 'lose_answer' }
  /** Arrives, and the answer ends in the middle of its body. */
  | { readonly type: 'cut' }
  | { readonly type: 'delay'; readonly ms: number }
  /** The caller sees the connection end, and the request arrives later all the same. */
  | { readonly type: 'arrive_late'; readonly ms: number }
  /** Arrives twice: at the same moment, or the second one later. */
  | { readonly type: 'double'; readonly afterMs: number }
  /** The line itself answers, as a gateway does; the request never arrives. */
  | { readonly type: 'gateway'; readonly status: GatewayStatus }
  /** A report of a state is answered 200 and never arrives: to its service it looks as if it was overwritten afterwards. */
  | { readonly type: 'swallow' }

/** Also what looks like a word of the service, and is the page of a line that knows no way to it. */
const GATEWAY = [403, 404, 408, 429, 500, 502] as const
type GatewayStatus = (typeof GATEWAY)[number]

const PASS: Fate = { type: 'pass' }
// Between a second and two, which is what `Retry-After` can say and a round can wait for.
export const RETRY_AFTER_S = 1

/** @param trouble how much of what passes is troubled, 0 to 1; `isReport`: it tells a state */
export function drawFate(random: Random, trouble: number, isReport: boolean): Fate {
  if (!random.chance(trouble)) return PASS
  return random.pick<() => Fate>([
    [14, () => ({ type: 'drop' })],
    [16, () => ({ type: 'lose_answer' })],
    [10, () => ({ type: 'cut' })],
    [14, () => ({ type: 'delay', ms: random.between(30, 900) })],
    [10, () => ({ type: 'arrive_late', ms: random.between(100, 1500) })],
    [14, () => ({ type: 'double', afterMs: random.chance(0.5) ? 0 : random.between(20, 800) })],
    [12, () => ({ type: 'gateway', status: random.oneOf(GATEWAY) })],
    [isReport ? 45 : 0, () => ({ type: 'swallow' })],
  ])()
}

export function fateName(fate: Fate): string {
  const { type } = fate
  if (fate.type === 'delay' || fate.type === 'arrive_late') return `${type} ${fate.ms}`
  if (fate.type === 'double') return `${type} ${fate.afterMs}`
  return fate.type === 'gateway' ? `${type} ${fate.status}` : type
}
