import { assert, asyncProperty, constantFrom, double, maxSafeInteger, oneof, string } from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Fixture, STUDY } from '../coordinator.fixture.ts'
import { globalId, type NodeType } from './global-id.ts'
import { idOf, OPERATIONS, post } from './graphql.fixture.ts'

let fixture: Fixture
let release: string
beforeAll(async () => {
  fixture = await Fixture.start()
  release = idOf('ReleaseNode', await fixture.issue())
})
afterAll(() => fixture.close())

const NASTY = ['\0', '\uD800', '%', "'; drop table releases; --", '../sync', '{}', '\u202E', 'é'.repeat(2000)]
const text = oneof(constantFrom(...NASTY), string({ unit: 'binary', maxLength: 50 }))
const TYPES: NodeType[] = ['ReleaseNode', 'StudyNode', 'TaskNode', 'ReleaseNoteNode', 'TaskServiceNode']

/** No input is an error of ours, at no field (GQ-9). */
async function isAnswered(query: string, variables: object): Promise<void> {
  const { code, body } = await fixture.call('POST', '/graphql', { query, variables })
  expect([200, 400]).toContain(code)
  for (const { message } of body.errors ?? []) {
    expect(message).not.toBe('Internal error')
    expect(message).not.toContain('cannot take this now')
  }
}

test('whatever is asked of the lists', async () => {
  const lists = `query Q($t: String, $i: ID, $f: Float) {
    allReleases(version: $t, state: $t, author: $t, name: $t, nameContains: $t, createdBefore: $f, after: $t) { edges { cursor } }
    allTasks(kfId: $t, state: $t, release: $t, taskService: $t, createdAfter: $f, orderBy: $t) { edges { cursor } }
    allTaskServices(author: $t, name: $t, url: $t, nameContains: $t, createdAfter: $f) { edges { cursor } }
    allEvents(eventType: $t, release: $i, messageContains: $t, createdBefore: $f) { edges { cursor } }
    allReleaseNotes(kfId: $t, author: $t, study: $i, createdBefore: $f) { edges { cursor } }
    allStudies(kfId: $t, nameContains: $t, createdBefore: $f, before: $t) { edges { cursor } }
    found: allEvents(messageContains: $t) { edges { cursor } } }`
  const numbers = oneof(double({ noNaN: true, noDefaultInfinity: true }), maxSafeInteger())
  await assert(asyncProperty(text, text, numbers, (t, i, f) => isAnswered(lists, { t, i, f })))
})

test('whatever an id is', async () => {
  const nodes = `query Q($id: ID!) { release(id: $id) { id } task(id: $id) { id } taskService(id: $id) { id }
    event(id: $id) { id } study(id: $id) { id } releaseNote(id: $id) { id } }`
  await assert(
    asyncProperty(text, constantFrom(...TYPES), async (key, type) => {
      for (const id of [key, globalId(type, key)]) {
        await isAnswered(nodes, { id })
        await isAnswered(OPERATIONS.PublishRelease, { release: id })
        await isAnswered(OPERATIONS.RemoveReleaseNote, { releaseNote: id })
      }
    }),
  )
})

test('whatever a change says', async () => {
  const study = idOf('StudyNode', STUDY)
  await assert(
    asyncProperty(text, async (value) => {
      await isAnswered(OPERATIONS.UpdateRelease, { release, input: { name: value, description: value } })
      await isAnswered(OPERATIONS.StartRelease, { input: { name: value, studies: [value, study] } })
      await isAnswered(OPERATIONS.CreateService, { input: { name: value, url: value, description: value } })
      await isAnswered(OPERATIONS.CreateReleaseNote, { input: { release, study, description: value } })
    }),
  )
})

test('whatever a query is', async () => {
  await assert(
    asyncProperty(text, async (query) => {
      const { code } = await post(fixture, query)
      expect(code).toBe(400)
    }),
  )
})
