import type { Moment } from './moments.ts'
import type { TaskKit } from './task-kit.ts'

/**
 * Runs a task to `published` again and again, each time killed at another moment and restarted, until every moment had
 * its turn. In each run the kit is killed once.
 * @param open opens a kit on a world of its own, as for a test of its own
 * @param check throws where what came out is wrong
 * @returns the moments at which it was killed
 * @throws Error that names the moment, with the cause
 */
export async function killAtEveryMoment(
  open: () => Promise<TaskKit>,
  check: (kit: TaskKit, killedAt: Moment) => Promise<void> | void,
): Promise<Moment[]> {
  const killedAt: Moment[] = []
  for (let nth = 1; ; nth++) {
    await using kit = await open()
    kit.killAt(nth)
    const moment = await runAndCheck(kit, nth, check)
    if (moment === null) return killedAt
    killedAt.push(moment)
  }
}

/** @returns null where there are fewer moments */
async function runAndCheck(
  kit: TaskKit,
  nth: number,
  check: (kit: TaskKit, killedAt: Moment) => Promise<void> | void,
): Promise<Moment | null> {
  try {
    await kit.runTo('published')
    const moment = kit.kills === 0 ? null : (kit.moments[nth - 1] ?? null)
    if (moment !== null) await check(kit, moment)
    return moment
  } catch (error) {
    const moment = kit.moments[nth - 1]
    const why = error instanceof Error ? error.message : String(error)
    throw new Error(`Killed at moment ${nth}, "${moment}": ${why}`, { cause: error })
  }
}
