import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase, type Database } from '@release-task/database'
import { createApp, createLogger, listen, type App } from '@release-task/http'
import type { StudyId } from '@release-task/protocol'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { StudyStore } from './study-store.ts'
import { planSync, studiesFromDataService, studiesFromFile, syncStudies } from './study-sync.ts'

const ids = (count: number): StudyId[] =>
  Array.from({ length: count }, (_, index): StudyId => `SD_${String(index).padStart(8, '0')}`)

interface Item {
  readonly kf_id: unknown
  readonly name?: unknown
  readonly visible?: unknown
  readonly created_at?: unknown
}

const item = (id: StudyId, fields: Partial<Item> = {}): Item => ({
  kf_id: id,
  name: `study ${id}`,
  visible: true,
  created_at: '2024-01-01T00:00:00+00:00',
  ...fields,
})

/** A Data Service of a few lines: pages with the links of docs/protocol.md, DS-2 to DS-4. */
class DataService {
  items: readonly Item[] = []
  /** Says another total than there are items, once per value. */
  readonly totals: number[] = []
  answer: { status: number; body: string } | null = null
  readonly asked: string[] = []
  url = ''
  #app: App | null = null

  async start(): Promise<this> {
    const app = await createApp({ title: 'data', version: '0', logger: createLogger('data', 'silent') })
    app.get<{ Querystring: Record<string, string> }>('/studies', async (request, reply) => {
      this.asked.push(request.url)
      if (this.answer) return reply.status(this.answer.status).type('application/json').send(this.answer.body)
      return this.#page(Number(request.query['after'] ?? 0), Number(request.query['limit'] ?? 10))
    })
    this.url = await listen(app, { host: '127.0.0.1', port: 0, auth: null })
    this.#app = app
    return this
  }

  /** The link repeats neither limit nor visible, and a full page always has one (DS-3, DS-4). */
  #page(after: number, limit: number) {
    const results = this.items.slice(after, after + limit)
    const next = results.length === limit ? { next: `/studies?after=${after + limit}&after_uuid=x` } : {}
    const total = after + results.length >= this.items.length ? this.totals.shift() : undefined
    return {
      _status: { message: 'success', code: 200 },
      _links: { self: '/studies', ...next },
      results,
      limit,
      total: total ?? this.items.length,
    }
  }

  async close(): Promise<void> {
    this.#app?.server.closeAllConnections()
    await this.#app?.close()
  }
}

let service: DataService
let database: Database
let store: StudyStore

beforeEach(async () => {
  service = await new DataService().start()
  const migrations = new URL('../migrations/', import.meta.url)
  const name = 'coordinator'
  database = await openDatabase({ url: 'sqlite::memory:', side: name, name, migrations })
  store = new StudyStore(database)
})
afterEach(async () => {
  await service.close()
  await database.close()
})

const sync = (force = false) => syncStudies(store, studiesFromDataService(service.url), force)
const deleted = async () => (await store.all()).filter((study) => study.deleted).map((study) => study.id)

describe('a Data Service', () => {
  test('is read to its last page, which may be empty; hidden studies are studies (CR-41, DS-4, F-62)', async () => {
    service.items = ids(300).map((id, index) => item(id, { visible: index % 2 === 0 }))
    expect(await sync()).toEqual({ created: 300, deleted: 0 })
    expect((await store.list({ limit: 1, offset: 0 })).count).toBe(300)
    expect((await store.get('SD_00000001'))?.visible).toBe(false)
    expect(service.asked).toEqual([
      '/studies?limit=100',
      '/studies?after=100&after_uuid=x&limit=100',
      '/studies?after=200&after_uuid=x&limit=100',
      '/studies?after=300&after_uuid=x&limit=100',
    ])
  })

  test('changes name and visible of known studies, and counts only what is new', async () => {
    service.items = ids(3).map((id) => item(id))
    await sync()
    service.items = ids(4).map((id) => item(id, { name: 'renamed', visible: false }))
    expect(await sync()).toEqual({ created: 1, deleted: 0 })
    expect(await store.get('SD_00000000')).toMatchObject({ name: 'renamed', visible: false, deleted: false })
  })

  test('a missing study is deleted, counted once, and comes back', async () => {
    service.items = ids(5).map((id) => item(id))
    await sync()
    service.items = ids(4).map((id) => item(id))
    expect(await sync()).toEqual({ created: 0, deleted: 1 })
    expect(await deleted()).toEqual(['SD_00000004'])
    expect(await sync()).toEqual({ created: 0, deleted: 0 })
    service.items = ids(5).map((id) => item(id))
    expect(await sync()).toEqual({ created: 0, deleted: 0 })
    expect(await deleted()).toEqual([])
  })

  test('more than half is refused and changes nothing, half is not; force does it', async () => {
    service.items = ids(4).map((id) => item(id))
    await sync()
    service.items = [item('SD_00000000'), item('SD_0000000N')]
    await expect(sync()).rejects.toMatchObject({ code: 'SYNC_REFUSED' })
    expect([await deleted(), await store.get('SD_0000000N')]).toEqual([[], null])
    service.items = ids(2).map((id) => item(id))
    expect(await sync()).toEqual({ created: 0, deleted: 2 })
    service.items = []
    await expect(sync()).rejects.toMatchObject({ code: 'SYNC_REFUSED' })
    expect(await sync(true)).toEqual({ created: 0, deleted: 2 })
    // Nothing is left that could be deleted.
    expect(await sync()).toEqual({ created: 0, deleted: 0 })
  })

  test.each([
    ['no id', { kf_id: undefined }],
    ['an id of something else', { kf_id: 'PT_00000001' }],
    ['a name that is no text', { name: 5 }],
    ['a date that is none', { created_at: 'yesterday' }],
  ])('one malformed item (%s): nothing is stored, not the pages before it either', async (_, fields) => {
    service.items = [...ids(150).map((id) => item(id)), item('SD_0000000X', fields)]
    await expect(sync()).rejects.toMatchObject({ code: 'DATASERVICE_ANSWER', status: null })
    expect(await store.all()).toEqual([])
  })

  test.each([
    ['no JSON', '<html>', 200],
    ['no list', '{"results":{}}', 200],
    ['a refusal', '{"_status":{"code":404}}', 404],
    ['trouble', '', 503],
  ])('an answer that is %s', async (_, body, status) => {
    service.answer = { status, body }
    await expect(sync()).rejects.toMatchObject({
      code: 'DATASERVICE_ANSWER',
      status: status === 200 ? null : status,
    })
  })

  test('one that is not there', async () => {
    await service.close()
    await expect(sync()).rejects.toMatchObject({ code: 'DATASERVICE_ANSWER', status: null })
  })

  test('a list that does not add up to its total is read once more, then refused (DS-5)', async () => {
    service.items = ids(3).map((id) => item(id))
    service.totals.push(4)
    expect(await sync()).toEqual({ created: 3, deleted: 0 })
    service.totals.push(4, 4)
    await expect(sync()).rejects.toThrow(/3 studies.* 4/)
  })

  test('a study on two pages counts once', async () => {
    service.items = [...ids(3), 'SD_00000001' as const].map((id) => item(id))
    service.totals.push(3)
    expect((await sync()).created).toBe(3)
  })

  test('pages without end are refused', async () => {
    service.answer = {
      status: 200,
      body: JSON.stringify({ results: [item('SD_00000000')], _links: { next: '/studies?after=1' } }),
    }
    await expect(sync()).rejects.toThrow(/do not come to an end/)
  })
})

describe('a file', () => {
  let folder: string
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'coordinator-studies-'))))
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const read = (text: string) => {
    const path = join(folder, 'studies.json')
    writeFileSync(path, text)
    return studiesFromFile(path)()
  }

  test('gives its studies; all but the id may be absent', async () => {
    expect(await read('[{"kf_id":"SD_0000000A"}]')).toEqual([
      { id: 'SD_0000000A', name: 'SD_0000000A', visible: true, createdAt: null },
    ])
  })

  test.each(['', '{}', '[5]', '[{"kf_id":"A"}]'])(
    '%j is refused, and the message names the file',
    async (text) => {
      await expect(read(text)).rejects.toMatchObject({
        code: 'STUDIES_FILE_INVALID',
        message: expect.stringContaining(folder),
      })
    },
  )

  test('one that is missing', async () => {
    await expect(studiesFromFile(join(folder, 'none.json'))()).rejects.toMatchObject({
      code: 'STUDIES_FILE_INVALID',
    })
  })
})

test('a plan: all that is listed is put, what is known, not listed and not deleted yet is removed', () => {
  const study = (id: StudyId, isDeleted: boolean) => ({
    id,
    name: id,
    visible: true,
    deleted: isDeleted,
    createdAt: null,
  })
  const [a, b, c, d] = ids(4) as [StudyId, StudyId, StudyId, StudyId]
  const listed = [a, d].map((id) => ({ id, name: id, visible: true, createdAt: null }))
  const plan = planSync(listed, [study(a, true), study(b, false), study(c, true)])
  expect(plan).toEqual({ put: listed, created: 1, remove: [b] })
})
