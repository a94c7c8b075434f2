import type { Topic } from '../topic.ts'
import { fieldOf, inWords } from '../told.ts'
import { expectRefused } from './claims.ts'
import { NAME, withNone, withOne, type Kit } from './kit.ts'

/** What is registered, and what is not (SV-3, CR-28, CR-29). */
export const REGISTRATION_TOPICS: readonly Topic<Kit>[] = [
  withNone('registering what is no task service', async ({ kit, findings }) => {
    const service = await kit.standIn()
    const away = await kit.standIn()
    await away.close()
    const cases = [
      { what: 'a service that nobody can reach', url: away.url, status: service.status },
      { what: 'a /status without `name`', url: service.url, status: { status: 200, body: 'ready' } },
      { what: 'a /status that is 500', url: service.url, status: { status: 500, body: { name: NAME } } },
      { what: 'a url that is none', url: 'nowhere', status: service.status },
    ]
    for (const { what, url, status } of cases) {
      service.status = status
      const told = await kit.register({ name: service.name, url })
      expectRefused(findings, { rule: 'CR-29', what, told, codes: [400] })
      const names = fieldOf(told.json, 'url') !== undefined
      findings.should('CR-14', `${what}: the answer names \`url\``, names, inWords(told))
    }
  }),
  withNone('registering with a field that is missing', async ({ kit, findings }) => {
    const { name, url } = await kit.standIn()
    for (const field of ['name', 'description', 'author', 'url']) {
      const told = await kit.register({ name, url, [field]: undefined })
      const what = `no \`${field}\``
      expectRefused(findings, { rule: 'CR-28', what, told, codes: [400] })
      const names = fieldOf(told.json, field) !== undefined
      findings.should('CR-14', `${what}: the answer names it`, names, inWords(told))
    }
  }),
  withOne('a service that is registered', async ({ kit, findings, service }) => {
    const told = await kit.api.get(`/task-services/${service.id}`)
    const { name, url } = service
    const wanted = { name, url, enabled: true, health_status: 'ok', last_ok_status: 0 }
    const wrong = Object.entries(wanted).filter(([field, value]) => fieldOf(told.json, field) !== value)
    const claim = 'it is shown as it was registered, enabled and healthy'
    findings.must('CR-28', claim, told.code === 200 && wrong.length === 0, inWords(told))
    const twice = await kit.register({ name, url })
    const isRefused = twice.code === 400
    findings.should('CR-29', 'the same address is not registered a second time', isRefused, inWords(twice))
  }),
  withOne('a service that is disabled', async ({ kit, findings, service }) => {
    const told = await kit.api.patch(`/task-services/${service.id}`, { enabled: false })
    const isOff = told.code === 200 && fieldOf(told.json, 'enabled') === false
    findings.must('CR-32', 'PATCH {"enabled": false} is answered 200', isOff, inWords(told))
    const release = await kit.release()
    const state = await release.reaches(['staged'])
    const found = `the release is ${await release.state()}`
    findings.should('RC-3', 'a release without enabled services is staged at once', state !== null, found)
    const actions = service.actions(release.id)
    findings.must('CR-28', 'it is told nothing of a new release', actions.length === 0, actions.join(', '))
  }),
]
