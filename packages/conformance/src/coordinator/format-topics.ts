import { isId, newId, type IdPrefix } from '@release-task/protocol'
import type { Findings } from '../finding.ts'
import { fieldOf, inWords, type Told } from '../told.ts'
import type { Topic } from '../topic.ts'
import { rowsOf } from './api.ts'
import { expectRefused } from './claims.ts'
import { NAME, withNone, withOne, type Kit, type Scene } from './kit.ts'

const LISTS = ['tasks', 'task-services', 'releases', 'release-notes', 'events', 'studies'] as const

/** What clients read, whatever happens to a release (section 8). */
export const FORMAT_TOPICS: readonly Topic<Kit>[] = [
  withNone('GET / and the lists', async ({ kit, findings }) => {
    const root = await kit.api.get('/')
    const missing = LISTS.filter((name) => !String(fieldOf(root.json, name)).startsWith('http'))
    const claim = 'GET / names the address of every list'
    findings.must('CR-1', claim, root.code === 200 && missing.length === 0, inWords(root))
    for (const name of LISTS) expectPage(findings, name, await kit.api.get(`/${name}?limit=1`))
    await expectNext({ kit, findings })
    const slash = await kit.api.get('/releases/')
    findings.should('CR-2', 'a path with a slash at its end is 404', slash.code === 404, inWords(slash))
  }),
  withNone('an id that is none', async ({ kit, findings }) => {
    for (const { path, prefix } of KINDS) {
      const told = await kit.api.get(`/${path}/${newId(prefix, kit.options.random)}`)
      const isRight = told.code === 404 && fieldOf(told.json, 'detail') === 'Not found.'
      findings.must('CR-14', `GET /${path}/… is 404 {"detail":"Not found."}`, isRight, inWords(told))
    }
    const [task, release] = [newId('TA', kit.options.random), newId('RE', kit.options.random)]
    const report = await kit.api.patch(`/tasks/${task}`, { state: 'staged' })
    const isRight = report.code === 404 && fieldOf(report.json, 'detail') === 'Not found.'
    findings.must('CR-14', 'a report of such a task is 404 {"detail":"Not found."}', isRight, inWords(report))
    const canceled = await kit.api.delete(`/releases/${release}`)
    expectRefused(findings, { rule: 'CR-20', what: 'its cancel', told: canceled, codes: [404] })
    const published = await kit.api.post(`/releases/${release}/publish`)
    expectRefused(findings, { rule: 'CR-21', what: 'its publish', told: published, codes: [404] })
    const notes = await kit.api.get(`/studies/${newId('SD', kit.options.random)}/releases`)
    expectRefused(findings, {
      rule: 'CR-39',
      what: 'the releases of such a study',
      told: notes,
      codes: [404],
    })
  }),
  withNone('POST /releases with a body that is wrong', async ({ kit, findings }) => {
    const good = { name: NAME, studies: [kit.options.study] }
    for (const { what, field, fields } of wrongReleases(kit)) {
      const told = await kit.create({ ...good, ...fields })
      expectRefused(findings, { rule: 'CR-17', what, told, codes: [400] })
      const claim = `${what}: the answer names \`${field}\``
      findings.should('CR-14', claim, fieldOf(told.json, field) !== undefined, inWords(told))
    }
    for (const text of ['{"name": "half', '["list"]', '"text"', '']) {
      const told = await kit.api.postText('/releases', text)
      expectRefused(findings, { rule: 'CR-14', what: `the body \`${text}\``, told, codes: [400] })
    }
  }),
  withOne('a new release', async ({ kit, findings, service }) => {
    const letGo = service.hold('initialize')
    const made = await kit.create()
    const id = fieldOf(made.json, 'kf_id')
    findings.must('CR-19', 'POST /releases is answered 201', made.code === 201, inWords(made))
    findings.must('ID-1', 'its kf_id is RE_ and 8 characters', isId('RE', id), inWords(made))
    const isNew = fieldOf(made.json, 'state') === 'waiting'
    findings.must('CR-19', 'it is answered in the state waiting', isNew, inWords(made))
    expectFields(findings, kit, made)
    const shown = await kit.api.get(`/releases/${String(id)}`)
    findings.must('CR-19', 'GET shows it', fieldOf(shown.json, 'kf_id') === id, inWords(shown))
    const newest = fieldOf(rowsOf(await kit.api.get('/releases?limit=1'))[0], 'kf_id')
    findings.must('CR-9', 'it is the first of the list', newest === id, `the first is ${String(newest)}`)
    await service.isTold(String(id), 'initialize', kit.options.withinMs)
    await expectTask({ kit, findings }, String(id))
    letGo()
  }),
]

const KINDS: readonly { readonly path: string; readonly prefix: IdPrefix }[] = [
  { path: 'releases', prefix: 'RE' },
  { path: 'tasks', prefix: 'TA' },
  { path: 'task-services', prefix: 'TS' },
  { path: 'studies', prefix: 'SD' },
  { path: 'events', prefix: 'EV' },
  { path: 'release-notes', prefix: 'RN' },
]

const isLink = (value: unknown): boolean =>
  value === null || (typeof value === 'string' && value.startsWith('http'))

function expectPage(findings: Findings, name: string, told: Told): void {
  const [count, results] = [fieldOf(told.json, 'count'), fieldOf(told.json, 'results')]
  const links = ['next', 'previous'].map((link) => fieldOf(told.json, link))
  const isWhole = told.code === 200 && Number.isInteger(count) && links.every(isLink)
  const isPage = isWhole && Array.isArray(results) && results.length <= 1
  const claim = `GET /${name}?limit=1 is a page: count, next, previous and at most one of results`
  findings.must('CR-11', claim, isPage, inWords(told))
}

async function expectNext({ kit, findings }: Scene): Promise<void> {
  const claim = '`next` leads to the other events'
  const first = await kit.api.get('/events?limit=1')
  const next = fieldOf(first.json, 'next')
  if (typeof next !== 'string') return findings.unchecked('must', 'CR-11', claim, 'there are too few events')
  const { pathname, search } = new URL(next)
  const prefix = new URL(kit.api.url).pathname.replace(/\/+$/, '')
  const second = await kit.api.get(`${pathname.slice(prefix.length)}${search}`)
  const ids = [first, second].map((page) => fieldOf(rowsOf(page)[0], 'kf_id'))
  const isOther = typeof ids[1] === 'string' && ids[0] !== ids[1]
  findings.must('CR-11', claim, isOther, inWords(second))
}

function wrongReleases({ options: { random, study } }: Kit) {
  return [
    { what: 'no `name`', field: 'name', fields: { name: undefined } },
    { what: 'a `name` that is empty', field: 'name', fields: { name: '' } },
    { what: 'a `name` of 257 characters', field: 'name', fields: { name: 'n'.repeat(257) } },
    { what: 'no `studies`', field: 'studies', fields: { studies: undefined } },
    { what: '`studies` that are empty', field: 'studies', fields: { studies: [] } },
    { what: '`studies` that are no list', field: 'studies', fields: { studies: study } },
    { what: 'a study that is none', field: 'studies', fields: { studies: [newId('SD', random)] } },
    { what: '`tags` that are no list', field: 'tags', fields: { tags: 7 } },
    { what: '`is_major` that is no boolean', field: 'is_major', fields: { is_major: 'perhaps' } },
  ]
}

const isText = (value: unknown): boolean => typeof value === 'string'
const isTime = (value: unknown): boolean => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(String(value))

function expectFields(findings: Findings, { options: { study } }: Kit, made: Told): void {
  const wanted: { readonly [name: string]: (value: unknown) => boolean } = {
    name: isText,
    description: isText,
    notes: Array.isArray,
    studies: (value) => Array.isArray(value) && value.length === 1 && value[0] === study,
    tasks: Array.isArray,
    version: (value) => /^\d+\.\d+\.\d+$/.test(String(value)),
    tags: Array.isArray,
    author: isText,
    is_major: (value) => value === false,
  }
  const wrong = Object.keys(wanted).filter((name) => !wanted[name]?.(fieldOf(made.json, name)))
  const found = `not right: ${wrong.join(', ')}; ${inWords(made)}`
  findings.must('CR-17', 'it has every field of the contract', wrong.length === 0, found)
  const at = fieldOf(made.json, 'created_at')
  findings.must('CR-5', 'its time is ISO-8601 and ends in Z', isTime(at), String(at))
}

async function expectTask({ kit, findings }: Scene, release: string): Promise<void> {
  const told = await kit.api.get(`/tasks?release=${release}`)
  const rows = rowsOf(told)
  const [task] = rows
  findings.must('CR-24', 'its one task is listed under it', rows.length === 1, inWords(told))
  const isRight =
    isId('TA', fieldOf(task, 'kf_id')) &&
    fieldOf(task, 'state') === 'waiting' &&
    fieldOf(task, 'progress') === 0 &&
    String(fieldOf(task, 'release')).endsWith(`/releases/${release}`) &&
    String(fieldOf(task, 'task_service')).includes('/task-services/TS_') &&
    isTime(fieldOf(task, 'created_at'))
  const claim = 'the task has kf_id, state, progress, the links of its release and service, and a time'
  findings.must('CR-23', claim, isRight, JSON.stringify(task))
}
