import type { Topic } from '../topic.ts'
import { fieldOf, inWords } from '../told.ts'
import type { Kit } from './kit.ts'

/** What registration and the health check ask (SV-1 to SV-5). */
export const STATUS_TOPICS: readonly Topic<Kit>[] = [
  {
    name: 'GET /status',
    async check(kit, findings) {
      const told = await kit.get('/status')
      const words = ['name', 'message', 'version'].map((name) => fieldOf(told.json, name))
      findings.must('SV-3', 'is answered 200', told.code === 200, inWords(told))
      findings.must('SV-3', 'has the text `name` in its body', told.text.includes('name'), inWords(told))
      const isExact = words.every((word) => typeof word === 'string' && word !== '')
      findings.should('SV-1', 'has the texts `name`, `message` and `version`', isExact, inWords(told))
    },
  },
  {
    name: 'an address with a slash at its end',
    async check(kit, findings) {
      const status = await kit.get('//status')
      findings.should('SV-5', 'GET //status is GET /status', status.code === 200, inWords(status))
      const { task } = kit.walk()
      const body = { action: 'initialize', task_id: task.id, release_id: task.release, studies: task.studies }
      const told = await kit.post(body, '//tasks')
      findings.should('SV-5', 'POST //tasks is POST /tasks', told.code === 200, inWords(told))
      await kit.act('cancel', task)
    },
  },
]
