import { newId } from '@release-task/protocol'
import type { Findings } from '../finding.ts'
import { fieldOf, inWords, tellText, type Told } from '../told.ts'
import type { Topic } from '../topic.ts'
import type { Kit } from './kit.ts'

interface BadBody {
  readonly what: string
  readonly body: unknown
  /** No coordinator sends it: it should be refused. Others must be, or a slip of a person becomes a task. */
  readonly isOdd?: true
}

function badBodies({ options: { random } }: Kit): BadBody[] {
  const good = { action: 'initialize', task_id: newId('TA', random), release_id: newId('RE', random) }
  const without = (name: string) =>
    Object.fromEntries(Object.entries(good).filter(([field]) => field !== name))
  return [
    { what: 'a list', body: [good] },
    { what: 'a text', body: 'initialize' },
    { what: 'no `action`', body: without('action') },
    { what: 'no `task_id`', body: without('task_id') },
    { what: 'no `release_id`', body: without('release_id') },
    { what: 'an action that there is not', body: { ...good, action: 'explode' } },
    { isOdd: true, what: 'an action that is a number', body: { ...good, action: 1 } },
    { isOdd: true, what: 'a `task_id` that is a number', body: { ...good, task_id: 12345678901 } },
    { isOdd: true, what: 'a `task_id` that is a release', body: { ...good, task_id: good.release_id } },
    { isOdd: true, what: 'a `release_id` that is too short', body: { ...good, release_id: 'RE_1' } },
    { isOdd: true, what: '`studies` that are no list', body: { ...good, studies: 'SD_BHJXBDQK' } },
  ]
}

/** What must be refused, change nothing, and never be the service's own fault (SV-13, SV-14). */
export const INPUT_TOPICS: readonly Topic<Kit>[] = [
  {
    name: 'POST /tasks with a body that is wrong',
    async check(kit, findings) {
      for (const bad of badBodies(kit)) expectBad(findings, bad, await kit.post(bad.body))
      expectBad(findings, { what: 'half of a JSON object' }, await postText(kit, '{"action": "initi'))
      expectBad(findings, { what: 'nothing' }, await postText(kit, ''))
    },
  },
  {
    name: 'a path that is none',
    async check(kit, findings) {
      const told = await kit.get(`/${newId('TA', kit.options.random)}`)
      const isRefused = told.code === 404 || told.code === 405
      findings.should('SV-13', 'is answered 404 or 405', isRefused, inWords(told))
    },
  },
]

function expectBad(findings: Findings, bad: Pick<BadBody, 'what' | 'isOdd'>, told: Told): void {
  const { what, isOdd } = bad
  const isRefused = told.code >= 400 && told.code < 500
  const claim = `${what}: is refused, and is no error of the service`
  findings[isOdd ? 'should' : 'must']('SV-13', claim, isRefused, inWords(told))
  if (!isRefused) return
  const isExact = told.code === 400 && typeof fieldOf(told.json, 'message') === 'string'
  findings.should('SV-14', `${what}: is answered 400, with a JSON \`message\``, isExact, inWords(told))
}

function postText({ options: { url, token } }: Kit, text: string): Promise<Told> {
  const auth: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` }
  return tellText(`${url}/tasks`, text, { 'content-type': 'application/json', ...auth })
}
