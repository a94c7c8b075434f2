import { ACTIONS, type Action } from '@release-task/protocol'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { HeldTask } from './held-task.fixture.ts'
import { eventually, startFixture, type Answered, type Fixture } from './service.fixture.ts'

const OWN = 'RE_00000001'
const OTHER = 'RE_00000002'
const STUDIES = ['SD_00000001']

/**
 * The table "State × action" of docs/protocol.md, typed by hand, and what is stored afterwards. The columns:
 * initialize, start, publish, get_status, cancel. `=`: stays as it is.
 */
const TABLE = `
  unknown    | 200 pending > pending | 404 > =             | 404 > =                   | 404 > =            | 404 > tombstone
  pending    | 200 pending > =       | 200 running > running | 400 > =                 | 200 pending > =    | 200 canceled > canceled
  running    | 400 > =               | 200 running > =     | 400 > =                   | 200 running > =    | 200 canceled > canceled
  staged     | 400 > =               | 200 running > =     | 200 publishing > publishing | 200 staged > =   | 200 canceled > canceled
  publishing | 400 > =               | 400 > =             | 200 publishing > =        | 200 publishing > = | 200 canceled > canceled
  published  | 400 > =               | 400 > =             | 200 publishing > =        | 200 published > =  | 400 > =
  failed     | 400 > =               | 400 > =             | 400 > =                   | 200 failed > =     | 200 failed > =
  canceled   | 400 > =               | 400 > =             | 400 > =                   | 200 canceled > =   | 200 canceled > =
  tombstone  | 400 > =               | 400 > =             | 400 > =                   | 404 > =            | 200 canceled > =
`

interface Cell {
  readonly row: string
  readonly action: Action
  readonly code: number
  readonly state: string | undefined
  readonly stored: string
}

const CELLS: readonly Cell[] = TABLE.trim()
  .split('\n')
  .flatMap((line) => {
    const [row = '', ...texts] = line.split('|').map((cell) => cell.trim())
    return texts.map((text, index) => {
      const [answer = '', stored = ''] = text.split(' > ')
      const [code, state] = answer.split(' ')
      return {
        row,
        action: ACTIONS[index]!,
        code: Number(code),
        state,
        stored: stored === '=' ? row : stored,
      }
    })
  })

const cellOf = (row: string, action: Action) =>
  CELLS.find((cell) => cell.row === row && cell.action === action)!

const tasks = new HeldTask()
let fixture: Fixture
let last = 0
const newId = () => `TA_${String(++last).padStart(8, '0')}`

beforeAll(async () => {
  fixture = await startFixture({
    task: tasks.definition(),
    env: { CONCURRENCY: '1000', LEASE: '60s' },
  })
})
afterAll(() => fixture.close())

const send = (action: Action, task_id: string, release_id = OWN): Promise<Answered> =>
  fixture.act(action, { task_id, release_id, ...(action === 'get_status' ? {} : { studies: STUDIES }) })

const load = async (id: string) => (await fixture.service.store.load(id)).record

/** How a task came to rest in `row`, all by itself and by actions. */
async function bringTo(row: string, id: string): Promise<void> {
  const { began, end, discarded } = tasks.of(id)
  const is = (state: string) => eventually(async () => (await load(id))?.state === state)
  const cleaned = () => eventually(async () => (await load(id))?.cleanup === 'done')
  if (row === 'tombstone') await send('cancel', id)
  if (row === 'tombstone' || row === 'unknown') return
  await send('initialize', id)
  if (row === 'pending') return
  await send('start', id)
  await began.stage.reached
  if (row === 'running') return
  if (row === 'canceled') await send('cancel', id)
  end.stage.open(row === 'failed' ? 'failed' : 'done')
  if (row === 'canceled' || row === 'failed') return discarded.reached.then(cleaned)
  await is('staged')
  if (row === 'staged') return
  await send('publish', id)
  await began.publish.reached
  if (row === 'publishing') return
  end.publish.open('done')
  await is('published')
}

/** The table says it: what `get_status` answers shows what is stored. */
async function expectStored(id: string, row: string, release = OWN): Promise<void> {
  const { code, state } = cellOf(row, 'get_status')
  const answer = await send('get_status', id, release)
  expect([answer.code, answer.body.state]).toEqual([code, state])
}

const eventTypes = async (id: string) =>
  (await fixture.service.store.newestEvents(id)).map(({ type }) => type)

test('the hand-typed table is whole', () => {
  expect(CELLS).toHaveLength(45)
  expect(new Set(CELLS.map(({ row }) => row)).size).toBe(9)
})

/** For each cell what its task may have run in the end. Checked when all others have run, so late effects show. */
const ended: { id: string; row: string; stored: string }[] = []

/** How often each phase was begun on the way to a row. */
const RUNS: { readonly [row: string]: { stage: number; publish: number; discard: number } } = {
  unknown: { stage: 0, publish: 0, discard: 0 },
  pending: { stage: 0, publish: 0, discard: 0 },
  running: { stage: 1, publish: 0, discard: 0 },
  staged: { stage: 1, publish: 0, discard: 0 },
  publishing: { stage: 1, publish: 1, discard: 0 },
  published: { stage: 1, publish: 1, discard: 0 },
  failed: { stage: 1, publish: 0, discard: 1 },
  canceled: { stage: 1, publish: 0, discard: 1 },
  tombstone: { stage: 0, publish: 0, discard: 0 },
}

describe('every cell over HTTP (SV-12)', () => {
  test.each(CELLS)(
    '$row, $action → $code $state, then $stored',
    async ({ row, action, code, state, stored }) => {
      const id = newId()
      await bringTo(row, id)
      const [before, events] = [await load(id), await eventTypes(id)]
      const answer = await send(action, id)
      expect([answer.code, answer.body.state]).toEqual([code, state])
      if (code === 200)
        expect(answer.body).toMatchObject({ name: 'fixture', kf_id: id, task_id: id, release_id: OWN })
      else expect(answer.body).toEqual({ message: expect.stringContaining(id), code: expect.any(String) })
      await expectStored(id, stored)
      // No second effect: the record is the same to the last field, and nothing was written beside it.
      if (stored === row) {
        expect(await load(id)).toEqual(before)
        expect(await eventTypes(id)).toEqual(events)
      } else expect((await eventTypes(id))[events.length]).toBe(stored === 'pending' ? 'initialized' : stored)
      ended.push({ id, row, stored })
    },
  )

  test('a tombstone is answered 404 once, then canceled, and the initialize that follows is refused (TS-7)', async () => {
    const id = newId()
    const codes = []
    for (const action of ['cancel', 'cancel', 'initialize', 'start'] as const)
      codes.push((await send(action, id)).code)
    expect(codes).toEqual([404, 200, 400, 400])
    expect((await fixture.get(`/tasks/${id}`)).code).toBe(404)
  })

  const known = CELLS.filter(({ row }) => row !== 'unknown')
  test.each(known)(
    '$row, $action for another release is 400 and changes nothing (TS-8)',
    async ({ row, action }) => {
      const id = newId()
      await bringTo(row, id)
      const [before, events] = [await load(id), await eventTypes(id)]
      const answer = await send(action, id, OTHER)
      expect([answer.code, answer.body.code]).toEqual([400, 'RELEASE_MISMATCH'])
      expect(await load(id)).toEqual(before)
      expect(await eventTypes(id)).toEqual(events)
      ended.push({ id, row, stored: row })
    },
  )

  test('in the end each phase has run as often as the cells say, and no more (TS-4)', async () => {
    for (const { id, row, stored } of ended) {
      const { calls, began } = tasks.of(id)
      if (stored === 'running') await began.stage.reached
      if (stored === 'publishing') await began.publish.reached
      const canceled = stored === 'canceled' && row !== 'canceled'
      const expected = canceled ? { ...RUNS[row]!, discard: RUNS[row]!.stage } : RUNS[stored]!
      if (canceled && expected.discard > 0) await eventually(() => calls.discard > 0)
      expect(calls, `${row} → ${stored}`).toEqual(expected)
    }
    expect(ended).toHaveLength(45 + 40)
  })
})

type Step =
  | { readonly kind: 'action'; readonly action: Action; readonly release: string }
  | { readonly kind: 'end'; readonly how: 'done' | 'failed' }

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('action' as const),
      action: fc.constantFrom(...ACTIONS),
      release: fc.constantFrom(OWN, OWN, OWN, OWN, OWN, OTHER),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      how: fc.constantFrom('done' as const, 'done' as const, 'failed' as const),
    }),
  },
)

/** What the table alone says of a task: its row, and the release that it was created for. */
interface Model {
  row: string
  release: string | null
}

async function act(
  model: Model,
  id: string,
  { action, release }: Extract<Step, { kind: 'action' }>,
): Promise<void> {
  const answer = await send(action, id, release)
  const foreign = model.release !== null && model.release !== release
  const cell = cellOf(model.row, action)
  const expected = foreign ? [400, undefined] : [cell.code, cell.state]
  expect([answer.code, answer.body.state], `${model.row} ${action}`).toEqual(expected)
  if (foreign) return
  if (cell.stored !== model.row) model.release ??= release
  model.row = cell.stored
}

/** The phase that runs is let go, and the task moves by itself. A PermanentError does not end `publish` (WK-11). */
async function letEnd(model: Model, id: string, how: 'done' | 'failed'): Promise<void> {
  const { began, end } = tasks.of(id)
  const phase = { running: 'stage', publishing: 'publish' }[model.row] as 'stage' | 'publish' | undefined
  if (!phase) return
  const ends = phase === 'publish' ? 'done' : how
  await began[phase].reached
  end[phase].open(ends)
  model.row = ends === 'failed' ? 'failed' : { stage: 'staged', publish: 'published' }[phase]
  await eventually(async () => (await load(id))?.state === model.row)
}

test('1,000 random sequences over HTTP go as the hand-typed table says', async () => {
  const visited = new Set<string>()
  const property = fc.asyncProperty(fc.array(steps, { minLength: 4, maxLength: 14 }), async (sequence) => {
    const id = newId()
    const model: Model = { row: 'unknown', release: null }
    const first: Step = { kind: 'action', action: 'initialize', release: OWN }
    for (const step of last % 5 === 0 ? sequence : [first, ...sequence]) {
      await (step.kind === 'action' ? act(model, id, step) : letEnd(model, id, step.how))
      visited.add(model.row)
    }
    await expectStored(id, model.row, model.release ?? OWN)
    const { calls } = tasks.of(id)
    expect(Math.max(calls.stage, calls.publish, calls.discard), 'no phase runs twice').toBeLessThanOrEqual(1)
    const events = await eventTypes(id)
    expect(new Set(events).size, 'no event is written twice').toBe(events.length)
    // What still runs is ended, so that the service does not fill up.
    await send('cancel', id, model.release ?? OWN)
  })
  await fc.assert(property, { numRuns: 1000 })
  expect([...visited].toSorted()).toEqual(Object.keys(RUNS).toSorted())
}, 60_000)
