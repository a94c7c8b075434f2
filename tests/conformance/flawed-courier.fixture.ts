// How the small coordinator tells services, and what it takes for their answer.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Records, Task } from './flawed-records.fixture.ts'

export interface Answered {
  readonly code: number
  readonly json: any
}

export const DONE: Record<string, readonly string[]> = {
  initialize: ['pending', 'initialized'],
  start: ['running', 'staged'],
  publish: ['publishing', 'published'],
}
export const AGAIN_MS = 100
export const TRIES = 10

export class Courier {
  readonly #records: Records

  constructor(records: Records) {
    this.#records = records
  }

  /** One action of a task at a time; null where its release is being stopped and it is not to be told any more. */
  insist(task: Task, action: string, isLost: (code: number) => boolean): Promise<Answered | null> {
    const isStopped = () => action !== 'cancel' && task.release.state === 'canceling'
    const tell = async () => {
      if (isStopped()) return null
      task.told.push(action)
      let answer = await this.send(task, action)
      for (let tries = 1; isLost(answer.code) && tries < TRIES && !isStopped(); tries++) {
        await sleep(AGAIN_MS)
        if (!isStopped()) answer = (await this.#ownState(task, action)) ?? (await this.send(task, action))
      }
      return answer
    }
    const answer = task.line.then(tell)
    task.line = answer
    return answer
  }

  /** What the service says of its task, where it has done that whose answer was lost. */
  async #ownState(task: Task, action: string): Promise<Answered | null> {
    if (action === 'cancel' || this.#records.has('repeats without asking')) return null
    const answer = await this.send(task, 'get_status')
    const isDone = answer.json?.state !== undefined && accepts(answer, DONE[action] ?? [])
    return isDone ? answer : null
  }

  async send(task: Task, action: string): Promise<Answered> {
    const { studies } = task.release.fields
    const named = action === 'get_status' ? {} : { studies }
    const body = JSON.stringify({ action, task_id: task.kf_id, release_id: task.release.kf_id, ...named })
    const headers = { 'content-type': 'application/json' }
    try {
      const answer = await fetch(`${task.service.url}/tasks`, { method: 'POST', headers, body })
      return { code: answer.status, json: parse(await answer.text()) }
    } catch {
      return { code: 0, json: null }
    }
  }
}

export const isLost = (code: number): boolean => code === 0 || code >= 500

export function accepts({ code, json }: Answered, states: readonly string[] = []): boolean {
  if (code !== 200 || typeof json !== 'object' || json === null) return false
  return json.state === undefined || states.includes(json.state)
}

export function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
