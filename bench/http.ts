// `get_status` and the durable `initialize` of a task service against a bare server that answers the same bytes,
// in turns within one run: only the ratio means something on another machine.
import autocannon from 'autocannon'
import { median, script, start, startSide, type Started } from './processes.ts'
import type { Row } from './table.ts'

const ROUNDS = 3
const SECONDS = 3

let number = 0
const nextId = () => `TA_${(number++).toString(36).toUpperCase().padStart(8, '0')}`
const bodyOf = (action: string, task_id: string) =>
  JSON.stringify({ action, task_id, release_id: 'RE_00000000', studies: ['SD_00000000'] })

async function load(url: string, connections: number, body: () => string): Promise<number> {
  const result = await autocannon({
    url: `${url}/tasks`,
    connections,
    duration: SECONDS,
    requests: [
      {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        setupRequest: (request) => ({ ...request, body: body() }),
      },
    ],
  })
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${result.non2xx} refused, ${result.errors} errors at ${url}`)
  return result.requests.average
}

interface Question {
  readonly name: string
  readonly body: () => string
  readonly reach: number
}

/** Requests per second of both, one after the other, several times; the median of the ratios. */
async function compare(
  service: Started,
  bare: Started,
  question: Question,
  connections: number,
): Promise<Row> {
  const ratios: number[] = []
  const rates: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const floor = await load(bare.url, connections, question.body)
    const ours = await load(service.url, connections, question.body)
    ratios.push(ours / floor)
    rates.push(ours)
  }
  return {
    what: `${question.name}, ${connections} connection${connections === 1 ? '' : 's'}`,
    value: `${median(ratios).toFixed(2)} of bare (${Math.round(median(rates)).toLocaleString('en')}/s)`,
    reach: connections === 32 ? `${question.reach} of bare` : '',
    reached: connections === 32 ? median(ratios) >= question.reach : null,
  }
}

export async function benchHttp(folder: string): Promise<Row[]> {
  const service = await startSide(['serve', script('zero-task.ts'), '--port', '0', '--data', folder], folder)
  const known = nextId()
  const first = await fetch(`${service.url}/tasks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: bodyOf('initialize', known),
  })
  const bare = await start(script('bare-server.ts'), [await first.text()], folder)
  const questions: Question[] = [
    { name: 'get_status', body: () => bodyOf('get_status', known), reach: 0.6 },
    { name: 'durable initialize', body: () => bodyOf('initialize', nextId()), reach: 0.4 },
  ]
  const rows: Row[] = []
  for (const question of questions)
    for (const connections of [1, 32]) rows.push(await compare(service, bare, question, connections))
  await service.stop()
  await bare.stop()
  return rows
}
