import type { Database } from '@release-task/database'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Effect } from './decision.ts'
import { renewalOf } from './lease-database.ts'
import { Outbox, type OutboxRow, type Reschedule } from './outbox.ts'
import { aRecord } from './record.fixture.ts'
import type { TaskRecord } from './record.ts'
import { TaskStore, type DueTask } from './store.ts'

/** An empty database with the tables of a task service, and a second connection to it. */
export interface StoreSubject {
  readonly database: Database
  /** Another connection, as another process would have. */
  readonly second: Database
  close(): Promise<void>
}

const LEASE_MS = 15_000
const nobodyIsGone = () => false

const event = (name: string): Effect => ({ type: 'event', level: 'info', event: name, message: name })
const report = (state: 'staged' | 'failed' | null, progress: number | null = null): Effect => ({
  type: 'report',
  state,
  progress,
  attempt: 1,
})

const idOf = (number: number) => `TA_${String(number).padStart(8, '0')}` as const

/** What every database must do for a task service. It is handed one by `open`, so that a second kind can be judged. */
export function storeContract(kind: string, open: () => Promise<StoreSubject>): void {
  describe(`task store contract: ${kind}`, () => {
    let subject: StoreSubject
    let store: TaskStore
    let second: TaskStore
    /** By the database's clock, when the test began. */
    let now: number

    beforeEach(async () => {
      subject = await open()
      store = new TaskStore(subject.database)
      second = new TaskStore(subject.second)
      now = (await store.load(idOf(1))).now
    })
    afterEach(() => subject.close())

    const commit = (before: TaskRecord | null, next: TaskRecord | null, effects: Effect[] = [], by = store) =>
      by.commit({ id: next?.id ?? before?.id ?? idOf(1), before, next, effects, now })

    /** The stored record; a test that asks for it knows that there is one. */
    const load = async (id: string = idOf(1)) => (await store.load(id)).record!

    async function insert(changes: Partial<TaskRecord> = {}, effects: Effect[] = []): Promise<TaskRecord> {
      const record = aRecord('pending', { revision: 1, createdAt: now, dueAt: null, ...changes })
      expect(await commit(null, record, effects)).toBe('committed')
      return load(record.id)
    }

    /** The next revision of a record, stored. */
    async function change(before: TaskRecord, changes: Partial<TaskRecord>, effects: Effect[] = []) {
      const next = { ...before, ...changes, revision: before.revision + 1 }
      return { result: await commit(before, next, effects), next }
    }

    const running = (changes: Partial<TaskRecord> = {}) =>
      insert({
        state: 'running',
        work: 'stage',
        dueAt: now,
        attempt: 1,
        lease: { owner: 'A', work: 'stage', expiresAt: now + 1000 },
        ...changes,
      })

    const renew = (attempt = 1, owner = 'A') =>
      renewalOf(subject.second, LEASE_MS)([{ id: idOf(1), attempt, owner }])

    describe('records', () => {
      test('an unknown id has no record, and the moment is the database’s own', async () => {
        const loaded = await store.load(idOf(9))
        expect(loaded.record).toBeNull()
        expect(Number.isSafeInteger(loaded.now)).toBe(true)
        expect(loaded.now).toBeGreaterThanOrEqual(now)
      })

      test('every field survives, set or not', async () => {
        const full: TaskRecord = {
          ...aRecord('publishing'),
          id: idOf(2),
          revision: 2 ** 40,
          studies: ['SD_ÄÖÜ\u2028\u0001"\\x', 'SD_00000002'],
          tombstone: true,
          progress: 99,
          bestProgress: 98,
          message: 'what\nnow – "ok"',
          summary: { rows: 3, deep: { list: [1, null, 'x', { y: false }] } },
          staged: ['a', 1, null],
          dueAt: now,
          held: true,
          lease: { owner: 'host|1|2|ab', work: 'publish', expiresAt: now + 5 },
          failures: 4,
          crashes: 3,
          lastError: { message: 'm', stack: 's\n t', at: now },
          needsAttention: true,
          endedFrom: 'staged',
          cancelRequestedAt: now,
          cancelAcknowledgedAt: now + 1,
          cleanup: 'given_up',
          cleanupEndedAt: now + 2,
          missingSince: now + 3,
          checkDueAt: now + 4,
          initializedVersion: '1',
          ranVersion: '2',
        }
        for (const record of [full, aRecord('pending', { id: idOf(3), studies: null })]) {
          expect(await commit(null, record)).toBe('committed')
          expect(await load(record.id)).toEqual(record)
        }
      })

      test('two that insert at a time: one wins, the other stores nothing of its change', async () => {
        const record = aRecord('pending', { revision: 1 })
        const results = await Promise.all([
          commit(null, record, [event('first')]),
          commit(null, { ...record, releaseId: 'RE_00000002' }, [event('second')], second),
        ])
        expect(results.toSorted()).toEqual(['committed', 'conflict'])
        const winner = results[0] === 'committed' ? 'first' : 'second'
        expect((await store.newestEvents(idOf(1))).map(({ type }) => type)).toEqual([winner])
        expect((await load()).releaseId).toBe(winner === 'first' ? 'RE_00000001' : 'RE_00000002')
      })

      test('two that change at a time: one wins, the other stores nothing, neither event nor report nor step', async () => {
        const before = await insert()
        const next = (progress: number) => ({ ...before, progress, revision: before.revision + 1 })
        const step: Effect = {
          type: 'save_step',
          version: '1',
          work: 'stage',
          name: 'a',
          result: 1,
          attempt: 1,
        }
        expect(await commit(before, next(1), [event('first')])).toBe('committed')
        expect(await commit(before, next(2), [event('late'), report('staged'), step], second)).toBe(
          'conflict',
        )
        expect(await load()).toMatchObject({ progress: 1, revision: 2 })
        expect(await store.newestEvents(idOf(1))).toHaveLength(1)
        expect(await store.step(idOf(1), '1', 'stage', 'a')).toBeUndefined()
        expect(await new Outbox(subject.database, { owner: 'A', claimMs: LEASE_MS }).get(idOf(1))).toBeNull()
      })

      test('of many at a time exactly one wins (TS-6)', async () => {
        const before = await insert()
        const next = { ...before, revision: 2 }
        const results = await Promise.all(
          Array.from({ length: 20 }, (_, index) =>
            commit(before, next, [event('x')], index % 2 ? store : second),
          ),
        )
        expect(results.filter((result) => result === 'committed')).toHaveLength(1)
        expect(await store.newestEvents(idOf(1))).toHaveLength(1)
      })
    })

    describe('leases', () => {
      test('a change that does not touch the lease leaves its renewal alone', async () => {
        const before = await running()
        expect(await renew()).toEqual({ lost: [], changed: [] })
        const renewed = await load()
        expect(renewed.lease!.expiresAt).toBeGreaterThanOrEqual(now + LEASE_MS)
        expect(renewed.revision).toBe(before.revision)
        expect((await change(before, { progress: 5 })).result).toBe('committed')
        expect(await load()).toMatchObject({ progress: 5, lease: renewed.lease })
      })

      const taken = { attempt: 2, lease: { owner: 'B', work: 'stage', expiresAt: 9e15 } } as const

      test('a lease that has run out is taken over, but not if its holder has renewed it since', async () => {
        const before = await running()
        await renew()
        expect((await change(before, taken, [event('taken')])).result).toBe('conflict')
        expect(await store.newestEvents(idOf(1))).toEqual([])
        expect((await change(await load(), taken)).result).toBe('committed')
        expect(await load()).toMatchObject(taken)
      })

      test('nor is a task failed over the head of a holder that has renewed', async () => {
        const before = await running()
        await renew()
        expect((await change(before, { attempt: 2, lease: null, state: 'failed' })).result).toBe('conflict')
      })

      test('its holder ends it whenever it was renewed last', async () => {
        const before = await running()
        await renew()
        expect((await change(before, { lease: null, work: null, dueAt: null })).result).toBe('committed')
        expect((await load()).lease).toBeNull()
      })

      test('renewal is refused after a takeover, by the attempt and by the owner, and after the end', async () => {
        const before = await running()
        await change(before, taken)
        const lost = (attempt: number, owner: string) => [{ id: idOf(1), attempt, owner }]
        expect(await renew(1, 'A')).toEqual({ lost: lost(1, 'A'), changed: [] })
        expect(await renew(2, 'A')).toEqual({ lost: lost(2, 'A'), changed: [] })
        expect(await renew(1, 'B')).toEqual({ lost: lost(1, 'B'), changed: [] })
        expect((await load()).lease!.expiresAt).toBe(9e15)
        await change(await load(), { lease: null })
        expect((await renew(2, 'B')).lost).toHaveLength(1)
      })

      test('renewal tells that other work is wanted by now, and keeps the lease', async () => {
        await change(await running(), { state: 'canceled', work: 'discard' })
        expect((await renew()).changed).toEqual([{ id: idOf(1), attempt: 1, owner: 'A' }])
        expect((await load()).lease!.expiresAt).toBeGreaterThanOrEqual(now + LEASE_MS)
        await change(await load(), { work: null, dueAt: null })
        expect((await renew()).changed).toHaveLength(1)
      })

      test('of two that take a free task one wins', async () => {
        const before = await running({ lease: null })
        const by = (owner: string) => ({ ...before, revision: 2, ...taken, lease: { ...taken.lease, owner } })
        const results = await Promise.all([commit(before, by('B')), commit(before, by('C'), [], second)])
        expect(results.toSorted()).toEqual(['committed', 'conflict'])
      })
    })

    describe('events', () => {
      test('keep their level, text and data, also without a change of the record', async () => {
        await insert()
        const full: Effect = { type: 'event', level: 'error', event: 'a', message: 'b “c”', data: { d: [1] } }
        expect(await commit(null, null, [full, event('bare')])).toBe('committed')
        expect(await store.newestEvents(idOf(1))).toMatchObject([
          { at: now, level: 'error', type: 'a', message: 'b “c”', data: { d: [1] } },
          { level: 'info', type: 'bare', data: null },
        ])
        expect((await load()).revision).toBe(1)
      })

      test('positions grow over interleaved commits of two connections; who resumes loses none', async () => {
        const ids = [1, 2, 3, 4].map(idOf)
        const writing = Array.from({ length: 60 }, async (_, index) => {
          const id = ids[index % ids.length]!
          const by = index % 3 === 0 ? second : store
          expect(
            await by.commit({
              id,
              before: null,
              next: null,
              effects: [event(`a${index}`), event(`b${index}`)],
              now,
            }),
          ).toBe('committed')
        })
        const seen: string[] = []
        let position = 0
        let done = false
        const finished = Promise.all(writing).then(() => (done = true))
        for (let last = false; !last;) {
          last = done
          const events = await second.eventsAfter(idOf(1), position)
          seen.push(...events.map(({ type }) => type))
          position = events.at(-1)?.position ?? position
          await new Promise(setImmediate)
        }
        await finished
        const all = await Promise.all(ids.map((id) => store.eventsAfter(id, 0)))
        expect(seen).toEqual(all[0]!.map(({ type }) => type))
        const positions = all.flat().map((one) => one.position)
        expect(new Set(positions).size).toBe(120)
        for (const events of all) {
          expect(events).toHaveLength(30)
          expect(events.map((one) => one.position)).toEqual(
            events.map((one) => one.position).toSorted((a, b) => a - b),
          )
          // Both events of one commit stand together, in their order.
          for (let index = 0; index < 30; index += 2)
            expect(events[index + 1]!.type).toBe(events[index]!.type.replace('a', 'b'))
        }
      })

      test('are given after a position, or the newest, oldest first', async () => {
        await commit(null, null, ['a', 'b', 'c'].map(event))
        const all = await store.newestEvents(idOf(1))
        expect(all.map(({ type }) => type)).toEqual(['a', 'b', 'c'])
        expect(await store.eventsAfter(idOf(1), all[0]!.position)).toEqual(all.slice(1))
        expect(await store.eventsAfter(idOf(1), all[2]!.position)).toEqual([])
        expect(await store.newestEvents(idOf(2))).toEqual([])
      })
    })

    describe('steps', () => {
      const save = (step: Partial<Extract<Effect, { type: 'save_step' }>>): Effect => ({
        type: 'save_step',
        version: '1',
        work: 'stage',
        name: 'count',
        result: 1,
        attempt: 1,
        ...step,
      })

      test('are kept by task, version, work and name; the first result stays', async () => {
        await commit(null, null, [
          save({ result: { rows: [1, null] } }),
          save({ name: 'nothing', result: null }),
        ])
        await commit(null, null, [save({ result: 'second' })])
        expect(await store.step(idOf(1), '1', 'stage', 'count')).toEqual({ rows: [1, null] })
        expect(await store.step(idOf(1), '1', 'stage', 'nothing')).toBeNull()
        expect(await store.step(idOf(1), '2', 'stage', 'count')).toBeUndefined()
        expect(await store.step(idOf(1), '1', 'publish', 'count')).toBeUndefined()
        expect(await store.step(idOf(1), '1', 'stage', 'other')).toBeUndefined()
        expect(await store.step(idOf(2), '1', 'stage', 'count')).toBeUndefined()
        expect(await store.steps(idOf(1), '1', 'stage')).toEqual({
          count: { rows: [1, null] },
          nothing: null,
        })
        expect(await store.steps(idOf(1), '1', 'publish')).toEqual({})
        expect(await store.steps(idOf(1), '2', 'stage')).toEqual({})
      })
    })

    describe('the outbox', () => {
      let outbox: Outbox
      let other: Outbox

      beforeEach(() => {
        outbox = new Outbox(subject.database, { owner: 'A', claimMs: LEASE_MS })
        other = new Outbox(subject.second, { owner: 'B', claimMs: LEASE_MS })
      })

      const LATER: Reschedule = {
        phase: 'confirm',
        delayMs: 60_000,
        failures: 2,
        confirmStep: 3,
        lastError: 'no',
      }
      const row = async () => (await outbox.get(idOf(1)))!
      const dueStates = async (by: Outbox) => (await by.due(nobodyIsGone)).map(({ state }) => state)

      /** A row that this process is sending. */
      async function sending(effect: Effect = report('staged', 100)) {
        await insert({ summary: { rows: 3 }, message: 'm' }, [effect])
        const claimed = await row()
        expect(await outbox.claim(claimed)).toBe(true)
        return claimed
      }

      test('a report is due at once and carries what its change tells', async () => {
        await insert({ summary: { rows: 3 }, message: 'm', revision: 5 }, [report('staged', 100)])
        expect(await outbox.due(nobodyIsGone)).toMatchObject([
          {
            taskId: idOf(1),
            sequence: 5,
            state: 'staged',
            progress: 100,
            message: 'm',
            summary: { rows: 3 },
            phase: 'send',
            failures: 0,
            confirmStep: 0,
            lastError: null,
            claimedBy: null,
          },
        ])
        expect(await outbox.nextDelayMs()).toBe(0)
        expect(await outbox.waiting()).toMatchObject({ count: 1 })
      })

      test('the summary goes with staged only', async () => {
        await insert({ summary: { rows: 3 } }, [report('failed')])
        expect(await row()).toMatchObject({ state: 'failed', progress: null, summary: null })
      })

      test('news of an attempt goes without the words of the author’s code (N-14)', async () => {
        const effect: Effect = {
          type: 'report',
          state: null,
          progress: null,
          attempt: 3,
          error: 'e'.repeat(900),
        }
        await insert({ message: 'm' }, [effect])
        const told = { state: null, progress: null, message: null, attempt: 3, error: 'e'.repeat(800) }
        expect(await row()).toMatchObject(told)
        await change(await load(), {}, [report(null, 20)])
        expect(await row()).toMatchObject({ attempt: 1, error: null, message: 'm' })
      })

      test('of two senders one gets it; until it is done with, it is nobody else’s', async () => {
        await insert({}, [report('staged')])
        const [mine, theirs] = [await row(), (await other.due(nobodyIsGone))[0]!]
        const results = await Promise.all([outbox.claim(mine), other.claim(theirs)])
        expect(results.filter(Boolean)).toHaveLength(1)
        expect(await dueStates(outbox)).toEqual([])
        expect(await dueStates(other)).toEqual([])
        expect(await outbox.nextDelayMs()).toBeNull()
      })

      test('what a dead process was sending is due at once', async () => {
        await sending()
        expect(await other.due((owner) => owner === 'A')).toHaveLength(1)
        const [left] = await other.due((owner) => owner === 'A')
        expect(await other.claim(left!)).toBe(true)
      })

      test('whoever could not deal with it gives up its own claim, and nobody else’s', async () => {
        const claimed = await sending()
        await other.giveBack(claimed)
        expect(await row()).toMatchObject({ claimedBy: 'A' })
        await outbox.giveBack(claimed)
        expect(await row()).toMatchObject({ claimedBy: null, phase: 'send', failures: 0 })
        expect(await dueStates(other)).toEqual([])
        expect(await other.nextDelayMs()).toBeLessThanOrEqual(1000)
      })

      test('reschedule gives it back with its next time', async () => {
        const claimed = await sending()
        await outbox.reschedule(claimed, LATER)
        expect(await row()).toMatchObject({
          phase: 'confirm',
          failures: 2,
          confirmStep: 3,
          lastError: 'no',
          claimedBy: null,
        })
        expect((await row()).dueAt).toBeGreaterThanOrEqual(now + 60_000)
        expect(await dueStates(outbox)).toEqual([])
        expect(await outbox.nextDelayMs()).toBeGreaterThan(50_000)
        expect(await outbox.waiting()).toEqual({ count: 0, oldestMs: 0 })
        await outbox.reschedule(claimed, { ...LATER, delayMs: 0, phase: 'refused' })
        expect(await dueStates(other)).toEqual(['staged'])
        expect((await outbox.waiting()).count).toBe(1)
      })

      test('a claim on a row that another process has dealt with since it was read is refused', async () => {
        await insert({}, [report('staged')])
        const stale = await row()
        await other.claim(stale)
        await other.reschedule(stale, LATER)
        expect(await outbox.claim(stale)).toBe(false)
      })

      test('a newer report replaces it while it is being sent: the old try moves and removes nothing of the new', async () => {
        const old = await sending()
        await change(await load(), {}, [report('failed')])
        expect(await row()).toMatchObject({ state: 'failed', sequence: 2, claimedBy: 'A' })
        // One try at a time for a task: the new one waits for the end of the old.
        expect(await dueStates(outbox)).toEqual([])
        await outbox.reschedule(old, LATER)
        expect(await row()).toMatchObject({
          state: 'failed',
          phase: 'send',
          failures: 0,
          lastError: null,
          claimedBy: null,
        })
        expect(await dueStates(outbox)).toEqual(['failed'])
        await outbox.remove(old)
        expect((await row()).state).toBe('failed')
        expect(await outbox.claim(old)).toBe(false)
        await outbox.remove(await row())
        expect(await outbox.get(idOf(1))).toBeNull()
      })

      test('neither does it where its own row was withdrawn in between', async () => {
        const old = await sending()
        await change(await load(), {}, [{ type: 'withdraw_report' }])
        expect(await outbox.get(idOf(1))).toBeNull()
        await change(await load(), {}, [report('failed')])
        await outbox.reschedule(old, LATER)
        expect(await row()).toMatchObject({ state: 'failed', sequence: 3, phase: 'send', failures: 0 })
        await outbox.remove(old)
        expect((await row()).state).toBe('failed')
      })

      test('nor does it free the claim that another process has on the new row', async () => {
        const old = await sending()
        await change(await load(), {}, [{ type: 'withdraw_report' }])
        await change(await load(), {}, [report('failed')])
        expect(await other.claim(await row())).toBe(true)
        await outbox.reschedule(old, LATER)
        await outbox.remove(old)
        expect((await row()).claimedBy).toBe('B')
      })

      test('progress is merged into one and does not hurry a report that waits after a failure; a state does', async () => {
        const first = await sending(report(null, 10))
        await outbox.reschedule(first, { ...LATER, phase: 'send' })
        await change(await load(), {}, [report(null, 20)])
        expect(await row()).toMatchObject({ progress: 20, state: null, failures: 2, lastError: 'no' })
        expect(await dueStates(outbox)).toEqual([])
        await change(await load(), {}, [report('staged', 100)])
        expect(await row()).toMatchObject({
          progress: 100,
          failures: 0,
          lastError: null,
          phase: 'send',
          confirmStep: 0,
        })
        expect(await dueStates(outbox)).toEqual(['staged'])
      })

      test('progress after a success is due at once', async () => {
        await insert({}, [report(null, 10)])
        await change(await load(), {}, [report(null, 20)])
        expect(await outbox.due(nobodyIsGone)).toMatchObject([
          { progress: 20, sequence: 2 } satisfies Partial<OutboxRow>,
        ])
      })
    })

    describe('what is due', () => {
      const ids = (tasks: readonly DueTask[]) => tasks.map(({ id }) => id)

      test('due work in its order, held or not, page by page', async () => {
        await insert({ id: idOf(1), work: 'stage', dueAt: now - 10 })
        await insert({
          id: idOf(2),
          work: 'stage',
          dueAt: now - 30,
          lease: { owner: 'A', work: 'stage', expiresAt: now + 60_000 },
        })
        await insert({
          id: idOf(3),
          work: 'stage',
          dueAt: now - 10,
          lease: { owner: 'A', work: 'stage', expiresAt: now - 1 },
        })
        await insert({ id: idOf(4), work: 'stage', dueAt: now + 60_000 })
        await insert({ id: idOf(5) })
        const all = await store.due(null)
        expect(ids(all)).toEqual([2, 1, 3].map(idOf))
        expect(all.map(({ leaseOwner, leaseExpired }) => [leaseOwner, leaseExpired])).toEqual([
          ['A', false],
          [null, true],
          ['A', true],
        ])
        const first = await store.due(null, 2)
        expect(ids(first)).toEqual([2, 1].map(idOf))
        expect(ids(await store.due(first[1]!, 2))).toEqual([idOf(3)])
        expect(await store.due(all[2]!)).toEqual([])
      })

      test('the oldest due work that nobody does tells how late it is', async () => {
        expect(await store.oldestDueMs()).toBe(0)
        const lease = { owner: 'A', work: 'stage', expiresAt: now + 60_000 } as const
        await insert({ id: idOf(1), work: 'stage', dueAt: now - 90_000, lease })
        await insert({ id: idOf(2), work: 'stage', dueAt: now + 60_000 })
        expect(await store.oldestDueMs()).toBe(0)
        await insert({ id: idOf(3), work: 'stage', dueAt: now - 30_000 })
        await insert({
          id: idOf(4),
          work: 'stage',
          dueAt: now - 40_000,
          lease: { ...lease, expiresAt: now - 1 },
        })
        const late = await store.oldestDueMs()
        expect(late).toBeGreaterThanOrEqual(40_000)
        expect(late).toBeLessThan(90_000)
      })

      test('tasks of which the coordinator is to be asked, the longest due first', async () => {
        await insert({ id: idOf(1), checkDueAt: now - 1 })
        await insert({ id: idOf(2), checkDueAt: now - 5 })
        await insert({ id: idOf(3), checkDueAt: now + 60_000 })
        await insert({ id: idOf(4), checkDueAt: null })
        expect(await store.checksDue()).toEqual([2, 1].map(idOf))
      })
    })

    describe('lists', () => {
      beforeEach(async () => {
        await insert({ id: idOf(1), createdAt: now - 3 })
        await insert({ id: idOf(2), createdAt: now - 2, state: 'staged' })
        await insert({ id: idOf(3), createdAt: now - 1, releaseId: 'RE_00000002' })
        await insert({ id: idOf(4), state: 'canceled', tombstone: true })
      })

      const ALL = { state: null, releaseId: null, limit: 10, offset: 0 } as const

      test.each([
        [ALL, 3, [3, 2, 1]],
        [{ ...ALL, limit: 1, offset: 1 }, 3, [2]],
        [{ ...ALL, state: 'staged' }, 1, [2]],
        [{ ...ALL, state: 'canceled' }, 0, []],
        [{ ...ALL, releaseId: 'RE_00000001' }, 2, [2, 1]],
        [{ ...ALL, releaseId: 'RE_00000001', state: 'pending' }, 1, [1]],
        [{ ...ALL, releaseId: 'RE_99999999' }, 0, []],
      ] as const)('%j → %i', async (filter, count, numbers) => {
        const page = await store.list(filter)
        expect(page.count).toBe(count)
        expect(page.tasks.map(({ id }) => id)).toEqual(numbers.map(idOf))
      })

      test('counts by state know no tombstones', async () => {
        expect(Object.fromEntries(await store.countByState())).toEqual({ pending: 2, staged: 1 })
      })

      test('releases with a task that has not ended, or is being undone, are under way', async () => {
        await insert({ id: idOf(5), releaseId: 'RE_00000003', state: 'published' })
        await insert({ id: idOf(6), releaseId: 'RE_00000004', state: 'failed', work: 'discard' })
        const underWay = ['RE_00000001', 'RE_00000002', 'RE_00000004']
        expect((await store.releasesUnderWay()).toSorted()).toEqual(underWay)
      })

      test('events and steps of tasks that ended long ago go; of others, and without a limit, they stay', async () => {
        const step = {
          type: 'save_step',
          version: '1',
          work: 'stage',
          name: 's',
          attempt: 1,
          result: 1,
        } as const
        const ends = { 5: 'published', 6: 'published', 7: 'running', 8: 'failed' } as const
        for (const [number, state] of Object.entries(ends)) {
          const updatedAt = number === '6' ? now : now - 10_000
          const work = number === '8' ? 'discard' : null
          await insert({ id: idOf(Number(number)), state, work, updatedAt }, [event('a'), step])
        }
        const left = async () => {
          const kept: string[] = []
          for (const number of [5, 6, 7, 8]) {
            const events = await store.newestEvents(idOf(number))
            const result = await store.step(idOf(number), '1', 'stage', 's')
            kept.push(`${events.length}${result === undefined ? 0 : 1}`)
          }
          return kept
        }
        await store.deleteHistory({ eventsMs: 0, stepsMs: 0 })
        expect(await left()).toEqual(['11', '11', '11', '11'])
        await store.deleteHistory({ eventsMs: 0, stepsMs: 5000 })
        expect(await left()).toEqual(['10', '11', '11', '11'])
        await store.deleteHistory({ eventsMs: 5000, stepsMs: 5000 })
        expect(await left()).toEqual(['00', '11', '11', '11'])
      })

      test('old tombstones go, with their events; tasks and young tombstones stay (WK-19)', async () => {
        await second.commit({ id: idOf(4), before: null, next: null, effects: [event('tombstone')], now })
        await second.commit({ id: idOf(1), before: null, next: null, effects: [event('kept')], now })
        await store.deleteTombstones(60_000)
        expect(await store.load(idOf(4))).toMatchObject({ record: { tombstone: true } })
        // Everything that is older than a moment to come.
        await store.deleteTombstones(-60_000)
        expect((await store.load(idOf(4))).record).toBeNull()
        expect(await store.newestEvents(idOf(4))).toEqual([])
        expect((await store.list(ALL)).count).toBe(3)
        expect(await store.newestEvents(idOf(1))).toHaveLength(1)
      })
    })
  })
}
