// How long a release takes that has nothing to do: create → staged, and publish → published, by the coordinator's
// own record of events, so that no question asked from outside is part of the figure.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { median, script, start, startSide } from './processes.ts'
import type { Row } from './table.ts'

const ROUNDS = 7
const REACH_MS: { readonly [services: number]: number } = { 1: 15, 10: 40 }
const ORIGINAL_MS: { readonly [services: number]: string } = {
  1: 'the original: 250 / 160 ms',
  10: 'the original: 1,670 / 1,210 ms',
}

async function call(method: string, url: string, body?: object): Promise<any> {
  const init = body ? { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } } : {}
  const response = await fetch(url, { method, ...init })
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${await response.text()}`)
  return response.json()
}

async function until(releaseUrl: string, state: string): Promise<void> {
  while ((await call('GET', releaseUrl)).state !== state) await sleep(20)
}

/** Milliseconds between two moves of a release, as its events tell. */
async function took(base: string, id: string, from: number | string, to: string): Promise<number> {
  const { results } = await call('GET', `${base}/events?release=${id}&limit=1000`)
  const at = (state: string) => {
    const event = results.find(
      (one: any) => one.message.startsWith('release ') && one.message.endsWith(` to ${state}`),
    )
    return Date.parse(event.created_at)
  }
  return at(to) - (typeof from === 'number' ? from : at(from))
}

async function oneRelease(base: string): Promise<{ stagedMs: number; publishedMs: number }> {
  const release = await call('POST', `${base}/releases`, { name: 'bench', studies: ['SD_BHJXBDQK'] })
  const url = `${base}/releases/${release.kf_id}`
  await until(url, 'staged')
  await call('POST', `${url}/publish`)
  await until(url, 'published')
  const createdAt = Date.parse(release.created_at)
  return {
    stagedMs: await took(base, release.kf_id, createdAt, 'staged'),
    publishedMs: await took(base, release.kf_id, 'publishing', 'published'),
  }
}

async function withServices(count: number, parent: string): Promise<Row> {
  const folder = join(parent, `services-${count}`)
  mkdirSync(folder, { recursive: true })
  const coordinator = await startSide(['coordinator', '--port', '0', '--data', folder], folder)
  const services = await start(script('many-services.ts'), [folder, coordinator.url, String(count)], folder)
  for (const [number, url] of (JSON.parse(services.url) as string[]).entries())
    await call('POST', `${coordinator.url}/task-services`, {
      name: `zero-${number}`,
      description: 'bench',
      author: 'bench',
      url,
    })
  await oneRelease(coordinator.url) // warm
  const runs: { stagedMs: number; publishedMs: number }[] = []
  for (let round = 0; round < ROUNDS; round++) runs.push(await oneRelease(coordinator.url))
  await services.stop()
  await coordinator.stop()
  const [staged, published] = [
    median(runs.map((run) => run.stagedMs)),
    median(runs.map((run) => run.publishedMs)),
  ]
  const reach = REACH_MS[count]
  return {
    what: `create → staged / publish → published, ${count} service${count === 1 ? '' : 's'}`,
    value: `${staged} / ${published} ms`,
    reach: reach === undefined ? '' : `${reach} ms each (${ORIGINAL_MS[count]})`,
    reached: reach === undefined ? null : staged <= reach && published <= reach,
  }
}

export async function benchReleases(folder: string): Promise<Row[]> {
  const rows: Row[] = []
  for (const count of [1, 10, 100]) rows.push(await withServices(count, folder))
  return rows
}
