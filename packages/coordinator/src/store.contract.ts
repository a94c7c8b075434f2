import type { Database, Statement } from '@release-task/database'
import { newId, type ReleaseId, type StudyId, type TaskId } from '@release-task/protocol'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { AuditStore } from './audit-store.ts'
import { decide } from './decide.ts'
import type { Command, Decision } from './decision.ts'
import { EventStore } from './event-store.ts'
import { NoteStore, type NoteFields } from './note-store.ts'
import { ActionOutbox, type OutboxRow } from './outbox.ts'
import { PollStore } from './poll-store.ts'
import { PublicationStore } from './publication-store.ts'
import { POLICY, SILENT } from './record.fixture.ts'
import type { ReleaseRecord } from './record.ts'
import {
  SearchStore,
  type EventSearch,
  type NoteSearch,
  type Order,
  type ReleaseSearch,
  type TaskSearch,
} from './search-store.ts'
import { ReleaseStore, type Change, type ReleaseFilter } from './store.ts'
import { StudyStore } from './study-store.ts'
import { TaskServiceStore, type TaskService } from './task-service-store.ts'

const ANY: ReleaseFilter = { state: null, author: null, name: null, study: null }
const WHOLE = { limit: 100, offset: 0 }
const NO_FILTER = { release: null, task_service: null, task: null, event_type: null }
const STUDY: StudyId = 'SD_00000001'

export interface OpenedStore {
  readonly database: Database
  close(): Promise<void>
}

type Next = Extract<Decision, { kind: 'next' }>

/**
 * What the stores of a coordinator must do, whatever database is below them.
 * @param open an empty, migrated database
 */
export function storeContract(name: string, open: () => Promise<OpenedStore>): void {
  describe(`store contract: ${name}`, () => {
    let opened: OpenedStore
    let releases: ReleaseStore
    let services: TaskServiceStore
    let events: EventStore

    beforeEach(async () => {
      opened = await open()
      const { database } = opened
      releases = new ReleaseStore(database, { random: Math.random, pollIntervalMs: 60_000 })
      services = new TaskServiceStore(database, Math.random)
      events = new EventStore(database)
    })
    afterEach(() => opened.close())

    const outboxOf = (owner: string, claimMs = 60_000) =>
      new ActionOutbox(opened.database, { owner, claimMs })
    const pollsOf = (claimMs = 60_000) => new PollStore(opened.database, { pollIntervalMs: 60_000, claimMs })

    let port = 0
    async function register(fields: Partial<TaskService> = {}): Promise<TaskService> {
      const service = await services.insert({
        name: 'one',
        description: 'one',
        author: 'me',
        url: `http://127.0.0.1:${++port}`,
        enabled: true,
        ...fields,
      })
      if (!service) throw new Error('The address is taken')
      return service
    }

    /** What `decide` makes of a command now, ready to be committed later. */
    async function prepare(id: ReleaseId, command: Command): Promise<Change & Next> {
      const { record, now, latestVersion } = await releases.load(id)
      const decision = decide(record, command, { now, latestVersion, policy: POLICY })
      if (decision.kind !== 'next') throw new Error(`${command.type} was ${decision.kind}`)
      return { ...decision, id, before: command.type === 'create' ? null : record, now }
    }

    async function perform(id: ReleaseId, command: Command): Promise<ReleaseRecord> {
      const change = await prepare(id, command)
      expect(await releases.commit(change)).toBe('committed')
      return change.next
    }

    function create(id: ReleaseId, studies: readonly StudyId[] = [STUDY]): Command {
      const fields = {
        name: 'spring',
        description: 'd',
        studies,
        tags: ['a', 'b'],
        author: 'me',
        isMajor: true,
      }
      return { type: 'create', id, fields, overlapping: [] }
    }

    const freshId = () => newId('RE', Math.random)

    /** A release whose tasks were all told `initialize`. */
    async function begun(of: readonly TaskService[] | number = 2): Promise<ReleaseRecord> {
      const list =
        typeof of === 'number' ? await Promise.all(Array.from({ length: of }, () => register())) : of
      const id = freshId()
      await perform(id, create(id))
      const tasks = list.map((service) => ({
        id: newId('TA', Math.random),
        serviceId: service.id,
        down: false,
      }))
      return perform(id, { type: 'begin', tasks })
    }

    const taskOf = (record: ReleaseRecord, index: number): TaskId => record.tasks[index]?.id ?? 'TA_'
    const accept = (
      record: ReleaseRecord,
      index: number,
      action: 'initialize' | 'start' | 'publish' | 'cancel',
    ) =>
      perform(record.id, {
        type: 'answer',
        taskId: taskOf(record, index),
        action,
        outcome: { kind: 'accepted', state: null },
      })
    const say = (record: ReleaseRecord, index: number, state: 'staged' | 'published'): Command => ({
      type: 'report',
      ...SILENT,
      taskId: taskOf(record, index),
      state,
    })

    async function running(of: readonly TaskService[] | number = 2): Promise<ReleaseRecord> {
      let record = await begun(of)
      for (const action of ['initialize', 'start'] as const)
        for (const index of record.tasks.keys()) record = await accept(record, index, action)
      return record
    }

    const messages = async () => (await events.list(NO_FILTER, WHOLE)).results.map((event) => event.message)

    describe('a release and its tasks are one record', () => {
      test('what is committed is read back, every field of it', async () => {
        const record = await begun()
        expect(await releases.get(record.id)).toEqual(record)
        const heard = await perform(record.id, {
          type: 'report',
          taskId: taskOf(record, 0),
          state: null,
          progress: 7,
          message: 'ünïcode',
          summary: { rows: [1, { a: null }] },
          attempt: 2,
          error: 'no luck',
        })
        expect(heard.tasks[0]).toMatchObject({ attempt: 2, lastError: 'no luck' })
        expect(await releases.get(record.id)).toEqual(heard)
        const stopped = await perform(record.id, { type: 'cancel' })
        expect(await releases.get(record.id)).toEqual(stopped)
        expect(stopped).toMatchObject({ outcome: 'canceled', stoppedFrom: 'initializing', revision: 4 })
      })

      test('a release that is not there', async () => {
        expect(await releases.get('RE_NOTHERE0')).toBeNull()
        expect(await releases.load('RE_NOTHERE0')).toMatchObject({ record: null, latestVersion: '' })
      })

      test('of two decisions on the same revision one is stored, and of the other nothing', async () => {
        const record = await running()
        const one = await prepare(record.id, { type: 'edit', fields: { description: 'one' } })
        const two = await prepare(record.id, { type: 'cancel' })
        const before = await messages()
        expect(await releases.commit(one)).toBe('committed')
        expect(await releases.commit(two)).toBe('conflict')
        expect(await releases.get(record.id)).toEqual(one.next)
        expect(await messages()).toEqual(before)
        expect(await outboxOf('a').ofRelease(record.id)).toEqual([])
      })

      test('two last tasks at once: exactly one commit, so the other sees it when it decides again', async () => {
        const record = await running()
        const changes = await Promise.all(
          [0, 1].map((index) => prepare(record.id, say(record, index, 'staged'))),
        )
        const results = await Promise.all(changes.map((change) => releases.commit(change)))
        expect(results.toSorted()).toEqual(['committed', 'conflict'])
        const slower = results.indexOf('conflict')
        expect((await perform(record.id, say(record, slower, 'staged'))).state).toBe('staged')
      })

      test('a new release is never written over an existing one (ID-3)', async () => {
        const record = await begun()
        const again = await prepare(record.id, create(record.id))
        expect(await releases.commit(again)).toBe('conflict')
        expect(await releases.get(record.id)).toEqual(record)
      })

      test('a new task is never written over an existing one (ID-3)', async () => {
        const record = await begun(1)
        const other = freshId()
        await perform(other, create(other))
        const task = { id: taskOf(record, 0), serviceId: record.tasks[0]!.serviceId, down: false }
        expect(await releases.commit(await prepare(other, { type: 'begin', tasks: [task] }))).toBe('conflict')
        expect((await releases.get(other))?.state).toBe('waiting')
      })
    })

    describe('versions (RC-28, F-11)', () => {
      test('two releases created at once do not get the same', async () => {
        const [a, b] = [freshId(), freshId()]
        const changes = await Promise.all([prepare(a, create(a)), prepare(b, create(b))])
        const results = await Promise.all(changes.map((change) => releases.commit(change)))
        expect(results.toSorted()).toEqual(['committed', 'conflict'])
        const slower = results[0] === 'conflict' ? a : b
        expect((await perform(slower, create(slower))).version).toBe('0.0.1')
      })

      test('nor two that are published at once', async () => {
        const [one, two] = [await running(1), await running(1)]
        for (const record of [one, two]) {
          await perform(record.id, say(record, 0, 'staged'))
          await perform(record.id, { type: 'publish' })
          await accept(record, 0, 'publish')
        }
        const last = await Promise.all(
          [one, two].map((record) => prepare(record.id, say(record, 0, 'published'))),
        )
        expect(last.map((change) => change.next.version)).toEqual(['1.0.0', '1.0.0'])
        const results = await Promise.all(last.map((change) => releases.commit(change)))
        expect(results.toSorted()).toEqual(['committed', 'conflict'])
        const slower = results[0] === 'conflict' ? one : two
        expect((await perform(slower.id, say(slower, 0, 'published'))).version).toBe('2.0.0')
        expect((await releases.load('RE_NOTHERE0')).latestVersion).toBe('2.0.0')
      })
    })

    describe('events', () => {
      test('have positions without gaps, in the order in which they were decided', async () => {
        const record = await begun(2)
        await perform(record.id, { type: 'cancel' })
        const { count, results } = await events.list(NO_FILTER, WHOLE)
        expect(results.map((event) => event.position)).toEqual(
          Array.from({ length: count }, (_, i) => count - i),
        )
        expect(results.map((event) => event.message.split(' ').at(-1)).toReversed()).toEqual([
          'initializing',
          'canceling',
        ])
      })

      test('a conflict takes no position', async () => {
        const record = await running()
        const late = await prepare(record.id, { type: 'cancel' })
        await perform(record.id, { type: 'edit', fields: { description: 'x' } })
        const before = (await events.list(NO_FILTER, WHOLE)).results[0]?.position ?? 0
        expect(await releases.commit(late)).toBe('conflict')
        await perform(record.id, { type: 'cancel' })
        const positions = (await events.list(NO_FILTER, WHOLE)).results.map((event) => event.position)
        expect(positions).toEqual(Array.from({ length: positions.length }, (_, i) => positions.length - i))
        expect(positions.length).toBeGreaterThan(before)
      })

      test('are found by release, task and service; an unknown id finds none', async () => {
        const record = await running(2)
        const [task] = record.tasks
        const find = (filter: Partial<typeof NO_FILTER> | object) =>
          events.list({ ...NO_FILTER, ...filter }, WHOLE)
        expect((await find({ task: task?.id })).results.map((event) => event.message)).toEqual([
          `task ${task?.id} changed from initialized to running`,
          `task ${task?.id} changed from waiting to initialized`,
        ])
        expect((await find({ task_service: task?.serviceId })).count).toBe(2)
        expect((await find({ release: record.id })).count).toBe(6)
        expect(await find({ release: 'RE_NOTHERE0' })).toEqual({ count: 0, results: [] })
        const first = (await find({})).results[0]
        expect(await events.get(first?.id ?? '')).toEqual(first)
      })

      test('a repeated id is a conflict, not an event that is lost (ID-3)', async () => {
        const record = await running(1)
        const stuck = new ReleaseStore(opened.database, { random: () => 0, pollIntervalMs: 1000 })
        const stop = await prepare(record.id, { type: 'cancel' })
        expect(await stuck.commit({ ...stop, effects: [...stop.effects, ...stop.effects] })).toBe('conflict')
        expect((await releases.get(record.id))?.state).toBe('running')
      })
    })

    test('events read after a position are all there are up to it, while several write (CR-43)', async () => {
      const writers = 8
      const ids = Array.from({ length: writers }, freshId)
      for (const id of ids) await perform(id, create(id))
      const start = await events.newest()
      let writing = writers
      const write = async (id: ReleaseId) => {
        const effects = Array.from({ length: 5 }, (_, index) => ({
          type: 'event' as const,
          eventType: 'info' as const,
          message: `${index}`,
          taskId: null,
          serviceId: null,
        }))
        for (let round = 0; round < 10; round++) {
          const { now } = await releases.load(id)
          expect(await releases.commit({ id, before: null, next: null, effects, now })).toBe('committed')
        }
        writing--
      }
      const read = async () => {
        const seen: number[] = []
        for (let isLast = false; !isLast;) {
          // Reads of SQLite leave no turn to the writers.
          await new Promise((resolve) => setImmediate(resolve))
          isLast = writing === 0
          const newest = await events.newest()
          const found = await events.after(NO_FILTER, seen.at(-1) ?? start, 1000)
          seen.push(...found.map((event) => event.position))
          expect(seen.at(-1) ?? start).toBeGreaterThanOrEqual(newest)
        }
        return seen
      }
      const [seen] = await Promise.all([read(), ...ids.map(write)])
      const total = writers * 10 * 5
      expect(seen).toEqual(Array.from({ length: total }, (_, index) => start + 1 + index))
      expect(await events.newest()).toBe(start + total)
      const few = await events.after({ ...NO_FILTER, release: ids[0] ?? '' }, start, 7)
      expect(few.map((event) => event.releaseId)).toEqual(Array.from({ length: 7 }, () => ids[0]))
    })

    describe('release notes (CR-34)', () => {
      let notes: NoteStore
      let id: ReleaseId
      const OTHER: StudyId = 'SD_00000002'
      const ANY = { author: null, release: null, study: null }

      beforeEach(async () => {
        notes = new NoteStore(opened.database, Math.random)
        id = freshId()
        await perform(id, create(id, [STUDY, OTHER]))
      })

      const about = (fields: Partial<NoteFields> = {}): NoteFields => ({
        description: 'd',
        author: 'a',
        releaseId: id,
        studyId: null,
        ...fields,
      })
      async function write(fields: Partial<NoteFields> = {}) {
        const note = await notes.insert(about(fields))
        expect(note).not.toBeNull()
        return (await notes.get(note!))!
      }
      const edit = (studies: readonly StudyId[]) => prepare(id, { type: 'edit', fields: { studies } })

      test('are read back, and listed newest first by author, release and study', async () => {
        const one = await write({ description: 'ünïcode', author: 'b', studyId: OTHER })
        const two = await write()
        expect(one).toMatchObject({ revision: 0, description: 'ünïcode', author: 'b', studyId: OTHER })
        const list = async (filter: Partial<typeof ANY> | object) =>
          (await notes.list({ ...ANY, ...filter }, WHOLE)).results
        expect(await list({})).toEqual([two, one])
        expect(await list({ author: 'b' })).toEqual([one])
        expect(await list({ release: id, study: OTHER })).toEqual([one])
        expect(await list({ study: STUDY })).toEqual([])
        expect(await notes.list(ANY, { limit: 1, offset: 1 })).toEqual({ count: 2, results: [one] })
      })

      test('of many releases are read together', async () => {
        const many: ReleaseId[] = []
        for (let index = 0; index < 70; index++) {
          const next = freshId()
          await perform(next, create(next))
          many.push(next)
        }
        const [first, last] = [many[0]!, many[69]!]
        const [a, b, c] = [
          await write({ releaseId: first }),
          await write({ releaseId: last }),
          await write({ releaseId: first }),
        ]
        await write()
        expect(await notes.ofReleases(many)).toEqual(
          new Map([
            [first, [c, a]],
            [last, [b]],
          ]),
        )
        expect(await notes.ofReleases([])).toEqual(new Map())
      })

      test('are never on a release that is not there, or on a study that is none of its (F-58)', async () => {
        expect(await notes.insert(about({ releaseId: 'RE_NOTHERE0' }))).toBeNull()
        expect(await notes.insert(about({ studyId: 'SD_NOTHERE0' }))).toBeNull()
        const note = await write()
        expect(await notes.update(note, about({ releaseId: 'RE_NOTHERE0' }))).toBe(false)
        expect(await notes.update(note, about({ studyId: 'SD_NOTHERE0', description: 'x' }))).toBe(false)
        expect((await notes.list(ANY, WHOLE)).results).toEqual([note])
      })

      test('a study that the release has lost is not shown, and shown again when it is back', async () => {
        const note = await write({ studyId: OTHER })
        await releases.commit(await edit([STUDY]))
        expect(await notes.get(note.id)).toEqual({ ...note, studyId: null })
        expect((await notes.list({ ...ANY, study: OTHER }, WHOLE)).count).toBe(0)
        expect((await notes.ofReleases([id])).get(id)).toEqual([{ ...note, studyId: null }])
        await releases.commit(await edit([OTHER]))
        expect(await notes.get(note.id)).toEqual(note)
      })

      test('written while the studies change: whoever is first, no note is on a study that is gone', async () => {
        for (let round = 0; round < 20; round++) {
          const away = await edit([STUDY])
          const [result, ...written] = await Promise.all([
            releases.commit(away),
            ...Array.from({ length: 4 }, () => notes.insert(about({ studyId: OTHER }))),
          ])
          expect(result).toBe('committed')
          for (const one of written) if (one) expect((await notes.get(one))?.studyId).toBeNull()
          expect(await notes.insert(about({ studyId: OTHER }))).toBeNull()
          await releases.commit(await edit([STUDY, OTHER]))
        }
      })

      test('of two changes of the same note one is stored; of one that is gone none', async () => {
        const note = await write()
        const results = await Promise.all([
          notes.update(note, about({ description: 'one' })),
          notes.update(note, about({ description: 'two' })),
        ])
        expect(results.toSorted()).toEqual([false, true])
        const stored = (await notes.get(note.id))!
        expect(stored).toMatchObject({ revision: 1, description: results[0] ? 'one' : 'two' })
        expect(await notes.remove(note.id)).toBe(true)
        expect(await notes.remove(note.id)).toBe(false)
        expect(await notes.update(stored, about())).toBe(false)
        expect(await notes.get(note.id)).toBeNull()
      })

      test('a new one is never written over another (ID-3)', async () => {
        const stuck = new NoteStore(opened.database, () => 0)
        expect(await stuck.insert(about({ description: 'first' }))).toBe('RN_00000000')
        expect(await stuck.insert(about({ description: 'second' }))).toBeNull()
        expect((await notes.get('RN_00000000'))?.description).toBe('first')
      })
    })

    test('the newest publication is the highest version, by numbers and not by letters or time (CR-42)', async () => {
      const publications = new PublicationStore(opened.database)
      const model = await begun(0)
      const put = async (state: 'published' | 'staged' | 'canceled', version: string) => {
        const next = { ...model, id: freshId(), revision: 0, state, version }
        const change = { id: next.id, before: null, next, effects: [], now: model.createdAt }
        expect(await releases.commit(change)).toBe('committed')
        return next.id
      }
      expect(await publications.newest()).toBeNull()
      await put('staged', '99.0.0')
      await put('canceled', '99.0.1')
      let highest = ''
      for (const version of [
        '0.9.0',
        '0.10.0',
        '9.1.0',
        '9.99.0',
        '10.0.0',
        '10.2.0',
        '10.11.0',
        '10.11.2',
      ]) {
        highest = await put('published', version)
        expect([version, await publications.newest()]).toEqual([version, highest])
      }
      for (const lower of ['10.3.0', '10.3.1000', '2.100.0', '10.11.1', '9.100.0'])
        await put('published', lower)
      expect(await publications.newest()).toBe(highest)
    })

    describe('outbox of actions', () => {
      const nobodyIsGone = () => false
      async function only(outbox: ActionOutbox): Promise<OutboxRow> {
        const rows = await outbox.due(nobodyIsGone)
        expect(rows).toHaveLength(1)
        return rows[0]!
      }

      test('of two owners one gets the row, and it is not shown to others while the claim holds', async () => {
        await begun(1)
        const [a, b] = [outboxOf('a'), outboxOf('b')]
        const row = await only(a)
        expect(row).toMatchObject({ action: 'initialize', failures: 0, askFirst: false })
        const results = await Promise.all([a.claim(row), b.claim(row)])
        expect(results.toSorted()).toEqual([false, true])
        expect(await b.due(nobodyIsGone)).toEqual([])
      })

      test('whoever takes over from a process that is gone asks before repeating (RC-8)', async () => {
        await begun(1)
        const [a, b] = [outboxOf('a'), outboxOf('b')]
        expect(await a.claim(await only(a))).toBe(true)
        const [row] = await b.due((owner) => owner === 'a')
        expect(row?.askFirst).toBe(true)
        expect(await b.claim(row!)).toBe(true)
      })

      test('a claim ends by itself; two that take it over are again only one', async () => {
        await begun(1)
        const [a, b, c] = [outboxOf('a', 0), outboxOf('b'), outboxOf('c')]
        expect(await a.claim(await only(a))).toBe(true)
        const row = await only(b)
        expect((await Promise.all([b.claim(row), c.claim(row)])).toSorted()).toEqual([false, true])
      })

      test('whoever could not deal with a row gives up its own claim, and nobody else’s', async () => {
        const record = await begun(1)
        const [a, b] = [outboxOf('a'), outboxOf('b')]
        const row = await only(a)
        await a.claim(row)
        await b.giveBack(row)
        expect((await a.ofRelease(record.id))[0]?.claimedUntil).not.toBeNull()
        await a.giveBack(row)
        // It may have been heard: asked before it is repeated (RC-8), and not at once.
        expect((await a.ofRelease(record.id))[0]).toMatchObject({ claimedUntil: null, askFirst: true })
        expect(await a.due(nobodyIsGone)).toEqual([])
        expect(await a.nextDelayMs()).toBeLessThanOrEqual(1000)
      })

      test('a try that failed comes back later, with what was learned', async () => {
        const record = await begun(1)
        const a = outboxOf('a')
        const row = await only(a)
        await a.claim(row)
        await a.again(row, { delayMs: 50_000, askFirst: false, error: 'busy' })
        expect(await a.due(nobodyIsGone)).toEqual([])
        const [later] = await a.ofRelease(record.id)
        expect(later).toMatchObject({ failures: 1, lastError: 'busy', askFirst: false, claimedUntil: null })
        expect(later?.deadlineAt).toBe(row.deadlineAt)
        const delay = (await a.nextDelayMs()) ?? 0
        expect(delay).toBeGreaterThan(0)
        expect(delay).toBeLessThanOrEqual(50_000)
      })

      test('a row that is being worked on does not hide when the next one is due', async () => {
        await begun(2)
        const a = outboxOf('a')
        const [hanging, failed] = await a.due(nobodyIsGone)
        await a.claim(hanging!)
        await a.claim(failed!)
        await a.again(failed!, { delayMs: 40_000, askFirst: false, error: 'x' })
        await a.due(nobodyIsGone)
        const delay = (await a.nextDelayMs()) ?? 0
        expect(delay).toBeGreaterThan(1000)
        expect(delay).toBeLessThanOrEqual(40_000)
      })

      test('a newer action replaces the older, waits for its request to end, and is not touched by it', async () => {
        const record = await begun(1)
        const a = outboxOf('a')
        await a.again(await only(a), { delayMs: 0, askFirst: true, error: 'no answer' })
        const old = await only(a)
        await a.claim(old)
        await perform(record.id, { type: 'cancel' })
        // One request at a time for one task: the claim goes over to the newer action (RC-5).
        expect(await outboxOf('b').due(nobodyIsGone)).toEqual([])
        expect(await a.isCurrent(old)).toBe(false)
        await a.again(old, { delayMs: 50_000, askFirst: true, error: 'too late' })
        const cancel = await only(a)
        expect(cancel).toMatchObject({
          action: 'cancel',
          failures: 0,
          lastError: null,
          askFirst: false,
          claimedUntil: null,
        })
        await a.remove(old)
        expect(await a.isCurrent(cancel)).toBe(true)
        await a.remove(cancel)
        expect(await a.ofRelease(record.id)).toEqual([])
      })

      test('not even where the older was gone before the newer came', async () => {
        const record = await begun(1)
        const a = outboxOf('a')
        const old = await only(a)
        await a.claim(old)
        // The answer is stored, which removes the row, and the next action is put in its place.
        await accept(record, 0, 'initialize')
        const start = await only(a)
        expect(start.action).toBe('start')
        await a.again(old, { delayMs: 50_000, askFirst: true, error: 'too late' })
        await a.remove(old)
        expect(await only(a)).toMatchObject({ action: 'start', sequence: start.sequence, failures: 0 })
        expect(start.sequence).toBeGreaterThan(old.sequence)
        expect(await a.claim(old)).toBe(false)
      })

      test('an answer removes its own action only', async () => {
        const record = await begun(1)
        await perform(record.id, { type: 'cancel' })
        await accept(record, 0, 'initialize')
        expect((await only(outboxOf('a'))).action).toBe('cancel')
        await accept(record, 0, 'cancel')
        expect(await outboxOf('a').ofRelease(record.id)).toEqual([])
      })

      test('a service that ended the task is told nothing more', async () => {
        const record = await begun(1)
        await perform(record.id, { type: 'report', ...SILENT, taskId: taskOf(record, 0), state: 'failed' })
        expect(await outboxOf('a').ofRelease(record.id)).toEqual([])
      })
    })

    describe('the audit trail', () => {
      const entry = {
        actor: 'user:ada',
        action: 'release.edit',
        subject: 'RE_00000001',
        detail: { a: ['ä', null] },
      }
      const everything = { actor: null, action: null, subject: null }
      const write = (trail: AuditStore, ...more: Statement[]) =>
        opened.database.commit([...trail.statements(entry), ...more])

      test('is there with its change or not at all; positions have no gap', async () => {
        const trail = new AuditStore(opened.database)
        expect(await write(trail)).toBe('committed')
        const [never] = trail.statements(entry)
        expect(await write(trail, { ...never!, expect: 2 })).toBe('conflict')
        await Promise.all(Array.from({ length: 5 }, () => write(trail)))
        const rows = await trail.after(everything, 0, 100)
        expect(rows.map(({ position }) => position)).toEqual([1, 2, 3, 4, 5, 6])
        expect(rows[0]).toEqual({ ...entry, position: 1, at: expect.any(Number) })
      })

      test('pages and filters, the newest first; goes on after a position, the oldest first', async () => {
        const trail = new AuditStore(opened.database)
        for (const subject of ['RE_00000001', 'RE_00000002', null])
          await opened.database.commit(trail.statements({ ...entry, subject, detail: undefined }))
        const page = await trail.list(everything, { limit: 2, offset: 1 })
        expect(page.count).toBe(3)
        expect(page.results.map(({ subject }) => subject)).toEqual(['RE_00000002', 'RE_00000001'])
        const one = { ...everything, subject: 'RE_00000002', actor: 'user:ada' }
        expect(await trail.list(one, WHOLE)).toMatchObject({ count: 1, results: [{ detail: null }] })
        expect((await trail.list({ ...one, actor: 'user:bob' }, WHOLE)).count).toBe(0)
        expect((await trail.after(everything, 1, 1)).map(({ position }) => position)).toEqual([2])
        expect(await trail.after(one, 2, 100)).toEqual([])
      })
    })

    describe('polls', () => {
      test('tasks that work are asked; of two askers one gets each', async () => {
        const record = await running(2)
        const claimed = await Promise.all([pollsOf().claim(true), pollsOf().claim(true)])
        expect(
          claimed
            .flat()
            .map((poll) => poll.taskId)
            .toSorted(),
        ).toEqual(record.tasks.map((task) => task.id).toSorted())
        // One that is under way is not asked again, however often somebody wants it (F-40).
        expect(await pollsOf().claim(true)).toEqual([])
      })

      test('nobody is asked before the time has come', async () => {
        await running(1)
        expect(await pollsOf().claim()).toEqual([])
      })

      test('a claim ends by itself', async () => {
        await running(1)
        expect(await pollsOf(0).claim(true)).toHaveLength(1)
        expect(await pollsOf().claim(true)).toHaveLength(1)
      })

      test('misses are counted in a row, an answer ends the row', async () => {
        await running(1)
        const polls = pollsOf()
        const miss = async () => {
          const [poll] = await polls.claim(true)
          return polls.missed(poll!)
        }
        expect([await miss(), await miss(), await miss()]).toEqual([1, 2, 3])
        const [poll] = await polls.claim(true)
        await polls.answered(poll!)
        expect(await miss()).toBe(1)
      })

      test('a task that is done is asked no more, and an answer that comes then does no harm', async () => {
        const record = await running(1)
        const polls = pollsOf()
        const [poll] = await polls.claim(true)
        await perform(record.id, say(record, 0, 'staged'))
        expect(await polls.missed(poll!)).toBe(0)
        expect(await polls.claim(true)).toEqual([])
      })
    })

    describe('releases that need a look, and lists', () => {
      test('a new one at once; one that only waits for its services later', async () => {
        const id = freshId()
        await perform(id, create(id))
        expect(await releases.due()).toEqual([{ id, state: 'waiting' }])
        await begun(1)
        expect((await releases.due()).map((one) => one.id)).toEqual([id])
      })

      test('by what author and name contain, as it is written, and by study', async () => {
        const make = async (fields: { name: string; author: string; studies: StudyId[] }) => {
          const id = freshId()
          const command = create(id)
          if (command.type !== 'create') throw new Error('unreachable')
          await perform(id, { ...command, fields: { ...command.fields, ...fields } })
          return id
        }
        const [one, two] = ['SD_00000001', 'SD_00000002'] as StudyId[]
        const spring = await make({ name: 'Spring 100% data', author: 'Ada', studies: [one!] })
        const autumn = await make({ name: 'Autumn_data', author: 'adam', studies: [one!, two!] })
        const found = async (filter: Partial<ReleaseFilter>) =>
          (await releases.list({ ...ANY, ...filter }, WHOLE)).results.map(({ id }) => id)
        expect(await found({ name: 'DATA' })).toEqual([autumn, spring])
        expect(await found({ author: 'ADAM', study: one! })).toEqual([autumn])
        expect(await found({ study: two! })).toEqual([autumn])
        expect(await found({ name: '0%' })).toEqual([spring])
        expect(await found({ name: 'n_d' })).toEqual([autumn])
        expect(await found({ name: 'g_1' })).toEqual([])
        expect(await found({ author: 'ada', name: 'winter' })).toEqual([])
        expect((await releases.list({ ...ANY, author: 'ada' }, { limit: 1, offset: 0 })).count).toBe(2)
      })

      test('newest first, by state, in pages', async () => {
        const ids: string[] = []
        for (let index = 0; index < 5; index++) {
          const id = freshId()
          await perform(id, create(id))
          ids.unshift(id)
        }
        const page = await releases.list(ANY, { limit: 2, offset: 1 })
        expect([page.count, page.results.map((one) => one.id)]).toEqual([5, ids.slice(1, 3)])
        await perform(ids[0] as ReleaseId, { type: 'cancel' })
        expect(
          (await releases.list({ ...ANY, state: 'canceled' }, WHOLE)).results.map((one) => one.id),
        ).toEqual([ids[0]])
        expect(await releases.list({ ...ANY, state: 'nonsense' }, WHOLE)).toEqual({ count: 0, results: [] })
        expect(await releases.countActive()).toBe(0)
        expect((await releases.countByState()).get('waiting')).toBe(4)
      })

      test('of a study: which are under way, and the newest in any state or published', async () => {
        const [one, two] = [freshId(), freshId()]
        await perform(one, create(one, ['SD_00000001', 'SD_00000002']))
        await perform(two, create(two, ['SD_00000002']))
        expect(await releases.underWay(['SD_00000001'])).toEqual([one])
        expect(await releases.underWay(['SD_00000002', 'SD_00000001'])).toEqual([one, two].toSorted())
        expect((await releases.listOfStudy('SD_00000002', WHOLE)).results.map((record) => record.id)).toEqual(
          [two, one],
        )
        expect((await releases.newestOfStudy('SD_00000002', null))?.version).toBe('0.0.1')
        expect(await releases.newestOfStudy('SD_00000002', 'published')).toBeNull()
        await perform(one, { type: 'cancel' })
        expect(await releases.underWay(['SD_00000001'])).toEqual([])
      })

      test('tasks by release, service and state', async () => {
        const record = await running(2)
        await begun(1)
        const [task] = record.tasks
        const find = (filter: object) =>
          releases.listTasks({ release: null, task_service: null, state: null, ...filter }, WHOLE)
        expect((await find({})).count).toBe(3)
        expect((await find({ release: record.id })).results.map((one) => one.releaseId)).toEqual([
          record.id,
          record.id,
        ])
        expect((await find({ task_service: task?.serviceId })).results[0]?.task.id).toBe(task?.id)
        expect((await find({ state: 'running' })).count).toBe(2)
        expect(await releases.countWorking()).toBe(2)
        expect(await releases.releaseOf(task?.id ?? '')).toBe(record.id)
        expect(await releases.releaseOf('TA_NOTHERE0')).toBeNull()
      })
    })

    describe('deadlines of services (RC-38)', () => {
      const own = { accept: 1000, silence: 3_600_000, total: 365 * 24 * 3_600_000 }

      test('are kept, each by itself: a given one changes, null takes it away, what is not given stays', async () => {
        const service = await register({ deadlines: own })
        const deadlines = async () => (await services.get(service.id))?.deadlines
        expect(await deadlines()).toEqual(own)
        await services.update(service.id, { deadlines: { silence: 5 } })
        await services.update(service.id, { name: 'renamed' })
        expect(await deadlines()).toEqual({ ...own, silence: 5 })
        await services.update(service.id, { deadlines: { accept: null, total: 7 } })
        expect(await deadlines()).toEqual({ accept: null, silence: 5, total: 7 })
        const [enabled] = await services.enabled()
        expect(enabled?.deadlines).toEqual({ accept: null, silence: 5, total: 7 })
        expect((await register()).deadlines).toEqual({ accept: null, silence: null, total: null })
      })

      test('of a task are its own copy, and what a person was called for is kept with it', async () => {
        const service = await register({ deadlines: own })
        const id = freshId()
        await perform(id, create(id))
        const task = { id: newId('TA', Math.random), serviceId: service.id, down: false, deadlines: own }
        const record = await perform(id, { type: 'begin', tasks: [task] })
        await services.update(service.id, { deadlines: { accept: null } })
        expect(await releases.get(id)).toEqual(record)
        expect(record.tasks[0]).toMatchObject({ deadlines: own, overdue: null })
        const change = await prepare(id, { type: 'edit', fields: { description: 'x' } })
        const tasks = change.next.tasks.map((one) => ({ ...one, overdue: 'total' as const }))
        expect(await releases.commit({ ...change, next: { ...change.next, since: 7, tasks } })).toBe(
          'committed',
        )
        expect((await releases.get(id))?.tasks).toEqual(tasks)
        const { results } = await releases.listTasks({ release: id, task_service: null, state: null }, WHOLE)
        const release = { state: 'initializing', since: 7 }
        expect(results).toEqual([{ task: tasks[0], releaseId: id, release }])
      })

      test('end by the clock that a record is loaded with', async () => {
        const before = (await releases.load('RE_NOTHERE0')).now
        const now = await releases.now()
        expect(now).toBeGreaterThanOrEqual(before)
        expect((await releases.load('RE_NOTHERE0')).now).toBeGreaterThanOrEqual(now)
      })
    })

    describe('task services', () => {
      test('an address is registered once, also by two at a time', async () => {
        const url = 'http://127.0.0.1:9'
        const fields = { name: 'n', description: 'd', author: 'a', url, enabled: true }
        const results = await Promise.all([services.insert(fields), services.insert(fields)])
        expect(results.filter((one) => one === null)).toHaveLength(1)
        const other = await register()
        expect(await services.update(other.id, { url })).toBe(false)
        expect((await services.get(other.id))?.url).toBe(other.url)
      })

      test('a health check counts and undoes no edit, an edit no other and no count (RC-36, F-04)', async () => {
        const { id } = await register()
        await Promise.all([
          services.countHealth(id, false),
          services.update(id, { name: 'renamed' }),
          services.countHealth(id, false),
          services.update(id, { enabled: false }),
        ])
        expect(await services.get(id)).toMatchObject({ name: 'renamed', enabled: false, lastOkStatus: 2 })
        await services.countHealth(id, true)
        expect((await services.get(id))?.lastOkStatus).toBe(0)
      })

      test('is checked by one of two', async () => {
        const { id } = await register()
        const claimed = await Promise.all([services.claimChecks(60_000), services.claimChecks(60_000)])
        expect(claimed.flat().map((one) => one.id)).toEqual([id])
      })

      test('one in use stays; one that is not goes with all that hangs on it (RC-35, CR-32)', async () => {
        const [gone, kept] = [await register(), await register()]
        const record = await running([gone, kept])
        expect(await services.remove(gone.id)).toBe(false)
        expect(await services.usedBy(gone.id)).toBe(record.id)
        // It ends without an answer to cancel, which would be told for a day.
        await perform(record.id, { type: 'cancel' })
        const ended = await perform(record.id, {
          type: 'report',
          ...SILENT,
          taskId: taskOf(record, 0),
          state: 'canceled',
        })
        expect(ended.state).toBe('canceling')
        await accept(record, 1, 'cancel')
        expect(await services.usedBy(gone.id)).toBeNull()
        expect(await services.remove(gone.id)).toBe(true)
        expect((await releases.get(record.id))?.tasks.map((task) => task.serviceId)).toEqual([kept.id])
        const left = (await events.list({ ...NO_FILTER, task_service: gone.id }, WHOLE)).count
        expect(left).toBe(0)
        expect((await events.list({ ...NO_FILTER, release: record.id }, WHOLE)).count).toBeGreaterThan(8)
        expect(await services.remove(gone.id)).toBe(false)
      })

      test('what was still to be told to it goes too', async () => {
        const service = await register()
        const record = await running([service])
        await perform(record.id, { type: 'cancel' })
        const change = await prepare(record.id, { type: 'edit', fields: { description: 'x' } })
        const silent = { ...change.next, state: 'canceled' as const }
        expect(await releases.commit({ ...change, next: silent })).toBe('committed')
        expect(await outboxOf('a').ofRelease(record.id)).toHaveLength(1)
        expect(await services.remove(service.id)).toBe(true)
        expect(await outboxOf('a').ofRelease(record.id)).toEqual([])
        expect(await pollsOf().claim(true)).toEqual([])
      })

      test('one that was removed a moment ago gets no task', async () => {
        const [service] = [await register(), await register()]
        const id = freshId()
        await perform(id, create(id))
        const task = { id: newId('TA', Math.random), serviceId: service.id, down: false }
        const begin = await prepare(id, { type: 'begin', tasks: [task] })
        expect(await services.remove(service.id)).toBe(true)
        expect(await releases.commit(begin)).toBe('conflict')
        expect((await releases.get(id))?.tasks).toEqual([])
      })

      test('only enabled ones join, the oldest first', async () => {
        const [one, , three] = [await register(), await register({ enabled: false }), await register()]
        const enabled = (await services.enabled()).map((service) => service.id)
        expect(enabled.toSorted()).toEqual([one.id, three.id].toSorted())
        expect((await services.list(false, WHOLE)).count).toBe(1)
        expect((await services.list(null, WHOLE)).count).toBe(3)
      })
    })

    describe('search', () => {
      const WHENEVER = { created_before: null, created_after: null }
      const RELEASE: ReleaseSearch = {
        version: null,
        state: null,
        author: null,
        name: null,
        name_contains: null,
        is_major: null,
        study: null,
        ...WHENEVER,
      }
      const TASK: TaskSearch = { kf_id: null, release: null, task_service: null, state: null, ...WHENEVER }
      const EVENT: EventSearch = {
        release: null,
        task_service: null,
        task: null,
        event_type: null,
        message_contains: null,
        ...WHENEVER,
      }
      const NOTE: NoteSearch = { kf_id: null, author: null, release: null, study: null, ...WHENEVER }
      const other: StudyId = 'SD_00000002'

      let search: SearchStore
      let first: ReleaseRecord
      let second: ReleaseRecord
      beforeEach(async () => {
        search = new SearchStore(opened.database)
        first = await running()
        const id = freshId()
        const studies = [other, STUDY]
        const fields = { name: '50%_off', description: 'd', studies, tags: [], author: 'you', isMajor: false }
        second = await perform(id, { type: 'create', id, fields, overlapping: [] })
      })

      /** The ids of what is found, and that it is counted as it is listed. */
      async function found<F extends object>(
        what: { list: any; count: (filter: F) => Promise<number> },
        filter: F,
        order: Order = 'oldest',
      ): Promise<string[]> {
        const rows: { id: string }[] = await what.list(filter, order, WHOLE)
        expect(await what.count(filter)).toBe(rows.length)
        return rows.map((row) => row.id)
      }
      const ofReleases = (filter: Partial<ReleaseSearch>, order?: Order) =>
        found(search.releases, { ...RELEASE, ...filter }, order)

      test('releases, by each of their fields and from both ends', async () => {
        const both = [first.id, second.id]
        expect(await ofReleases({})).toEqual(both)
        expect(await ofReleases({}, 'newest')).toEqual(both.toReversed())
        expect(await ofReleases({ version: second.version })).toEqual([second.id])
        expect(await ofReleases({ state: 'running' })).toEqual([first.id])
        expect(await ofReleases({ author: 'you' })).toEqual([second.id])
        expect(await ofReleases({ author: 'yo' })).toEqual([])
        expect(await ofReleases({ name: 'spring' })).toEqual([first.id])
        expect(await ofReleases({ name_contains: 'SPR' })).toEqual([first.id])
        expect(await ofReleases({ name_contains: '%_' })).toEqual([second.id])
        expect(await ofReleases({ is_major: true })).toEqual([first.id])
        expect(await ofReleases({ is_major: false })).toEqual([second.id])
        expect(await ofReleases({ study: STUDY })).toEqual(both)
        expect(await ofReleases({ study: other })).toEqual([second.id])
        const at = first.createdAt
        expect(await ofReleases({ created_before: at })).toEqual([])
        expect(await ofReleases({ created_after: at - 1, created_before: at + 1 })).toContain(first.id)
        expect(await ofReleases({ created_after: 8.64e15 })).toEqual([])
      })

      test('a window is a part of the list', async () => {
        const list = (offset: number) => search.releases.list(RELEASE, 'oldest', { limit: 1, offset })
        expect((await list(0)).map(({ id }) => id)).toEqual([first.id])
        expect((await list(1)).map(({ id }) => id)).toEqual([second.id])
        expect(await list(2)).toEqual([])
      })

      test('what is found of a release is what is stored of it', async () => {
        const { studies: _, tasks, ...head } = first
        expect(await search.releases.list({ ...RELEASE, name: 'spring' }, 'newest', WHOLE)).toEqual([head])
        expect((await search.releasesById([first.id])).get(first.id)).toEqual(head)
        expect((await search.tasksById([taskOf(first, 0)])).get(taskOf(first, 0))).toEqual({
          ...tasks[0],
          releaseId: first.id,
        })
      })

      test('tasks', async () => {
        const ofTasks = (filter: Partial<TaskSearch>, order?: Order) =>
          found(search.tasks, { ...TASK, ...filter }, order)
        const ids = first.tasks.map(({ id }) => id)
        expect(await ofTasks({ release: first.id })).toEqual(ids)
        expect(await ofTasks({ release: first.id }, 'newest')).toEqual(ids.toReversed())
        expect(await ofTasks({ release: second.id })).toEqual([])
        expect(await ofTasks({ kf_id: ids[1] ?? '' })).toEqual([ids[1]])
        expect(await ofTasks({ task_service: first.tasks[0]?.serviceId ?? '' })).toEqual([ids[0]])
        expect(await ofTasks({ state: 'running' })).toEqual(ids)
        expect(await ofTasks({ created_before: first.createdAt })).toEqual([])
      })

      test('events', async () => {
        const ofEvents = (filter: Partial<EventSearch>, order?: Order) =>
          found(search.events, { ...EVENT, ...filter }, order)
        const written = (await events.list(NO_FILTER, WHOLE)).results.map(({ id }) => id)
        expect(await ofEvents({}, 'newest')).toEqual(written)
        expect(await ofEvents({})).toEqual(written.toReversed())
        const own = await ofEvents({ task: taskOf(first, 1) })
        expect(own.length).toBeGreaterThan(0)
        expect(await ofEvents({ task_service: first.tasks[1]?.serviceId ?? '' })).toEqual(own)
        expect(await ofEvents({ release: first.id })).toEqual(expect.arrayContaining(own))
        expect(await ofEvents({ release: first.id, message_contains: 'RUNNING' })).not.toEqual([])
        expect(await ofEvents({ message_contains: 'no such' })).toEqual([])
        expect(await ofEvents({ event_type: 'info' })).not.toEqual([])
        expect(await ofEvents({ created_before: first.createdAt })).toEqual([])
      })

      test('notes', async () => {
        const notes = new NoteStore(opened.database, Math.random)
        const about = { description: 'd', author: 'me', releaseId: second.id }
        const ids = [
          await notes.insert({ ...about, studyId: other }),
          await notes.insert({ ...about, author: 'you', studyId: null }),
        ]
        const ofNotes = (filter: Partial<NoteSearch>, order?: Order) =>
          found(search.notes, { ...NOTE, ...filter }, order)
        expect(await ofNotes({})).toEqual(ids)
        expect(await ofNotes({}, 'newest')).toEqual(ids.toReversed())
        expect(await ofNotes({ kf_id: ids[1] ?? '' })).toEqual([ids[1]])
        expect(await ofNotes({ author: 'me' })).toEqual([ids[0]])
        expect(await ofNotes({ release: second.id })).toEqual(ids)
        expect(await ofNotes({ release: first.id })).toEqual([])
        expect(await ofNotes({ study: other })).toEqual([ids[0]])
        expect(await ofNotes({ study: STUDY })).toEqual([])
        expect(await ofNotes({ created_before: second.createdAt })).toEqual([])
      })

      test('more ids than one question takes are read in several; unknown ones are not there', async () => {
        const unknown = Array.from({ length: 120 }, (_, index) => `RE_NONE${index}`)
        const ids = [first.id, ...unknown, second.id]
        expect([...(await search.releasesById(ids)).keys()].toSorted()).toEqual(
          [first.id, second.id].toSorted(),
        )
        expect(await search.studiesOf(ids)).toEqual(
          new Map<string, StudyId[]>([
            [first.id, [STUDY]],
            [second.id, [other, STUDY]],
          ]),
        )
        expect(await search.releasesById([])).toEqual(new Map())
      })
    })

    test('studies are put and removed in one go; one that comes back is not deleted any more (CR-41)', async () => {
      const studies = new StudyStore(opened.database)
      const study = (id: StudyId, createdAt: string | null) => ({ id, name: id, visible: true, createdAt })
      const [a, b, c] = [
        study('SD_0000000A', '2024-01-01T00:00:00+00:00'),
        study('SD_0000000B', null),
        study('SD_0000000C', '2025-01-01T00:00:00+00:00'),
      ]
      await studies.apply({ put: [a, b, c], remove: [], created: 3 })
      // Nulls first, then the newest (CR-9).
      expect((await studies.list(WHOLE)).results.map((one) => one.id)).toEqual([b.id, c.id, a.id])
      await studies.apply({ put: [{ ...a, name: 'new', visible: false }], remove: [b.id], created: 0 })
      expect(await studies.get(a.id)).toMatchObject({ name: 'new', visible: false, createdAt: a.createdAt })
      expect((await studies.get(b.id))?.deleted).toBe(true)
      await studies.apply({ put: [b], remove: [], created: 0 })
      expect((await studies.get(b.id))?.deleted).toBe(false)
    })
  })
}
