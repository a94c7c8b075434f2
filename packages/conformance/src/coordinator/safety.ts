import { isId, type StudyId } from '@release-task/protocol'
import { fieldOf, inWords, NobodyThere } from '../told.ts'
import type { CoordinatorApi } from './api.ts'
import type { Kit } from './kit.ts'
import { CheckRefused } from './refused.ts'

/**
 * Before anything is made: the releases of a check would be run in every service that is enabled.
 * @throws CheckRefused
 */
export async function refuseOthers(api: CoordinatorApi): Promise<void> {
  await reach(api)
  const services = await api.all('/task-services')
  const foreign = services.filter((service) => fieldOf(service, 'enabled') !== false)
  if (foreign.length === 0) return
  const names = foreign.map((row) => `${String(fieldOf(row, 'name'))} (${String(fieldOf(row, 'kf_id'))})`)
  throw new CheckRefused(
    `These task services are enabled, and would take part in every release of the check: ${names.join(', ')}. ` +
      'Check a coordinator of its own, or disable them first: PATCH /task-services/… {"enabled": false}.',
  )
}

async function reach(api: CoordinatorApi): Promise<void> {
  const told = await api.get('/task-services?limit=1')
  const { code } = told
  if (code === 0) throw new NobodyThere(told.text)
  if (code === 401 || code === 403) throw tokenRefused(inWords(told))
  if (code !== 200 || !Array.isArray(fieldOf(told.json, 'results')))
    throw new CheckRefused(`What answers at ${api.url} is no release coordinator: ${inWords(told)}`)
}

/** @throws CheckRefused where there is no study to make a release of */
export async function chooseStudy(api: CoordinatorApi, wanted: StudyId | null): Promise<StudyId> {
  if (wanted !== null) {
    const told = await api.get(`/studies/${wanted}`)
    if (told.code === 200) return wanted
    throw new CheckRefused(`The coordinator does not know the study ${wanted}: ${inWords(told)}`)
  }
  const studies = await api.all('/studies')
  const visible = studies.filter(
    (row) => fieldOf(row, 'deleted') !== true && fieldOf(row, 'visible') !== false,
  )
  const id = fieldOf(visible[0], 'kf_id')
  if (isId('SD', id)) return id
  throw new CheckRefused(
    'The coordinator has no study that a release could be made of. Let it read them first, with ' +
      'POST /studies/sync, or name one with --study.',
  )
}

/**
 * Registers a stand-in for a moment.
 * @throws CheckRefused where that is not allowed, or the coordinator does not reach it
 */
export async function tryRegistration(kit: Kit): Promise<void> {
  const { name, url } = await kit.standIn().catch((error: unknown) => {
    throw new CheckRefused(`Nothing can listen at ${kit.options.listenHost}: ${String(error)}`)
  })
  const told = await kit.register({ name, url })
  if (told.code === 401 || told.code === 403) throw tokenRefused(inWords(told))
  if (told.code !== 201)
    throw new CheckRefused(
      `The coordinator does not register a service that listens at ${url}: ${inWords(told)}. ` +
        'It must be able to reach that address.',
    )
  await kit.retire()
}

const tokenRefused = (answer: string): CheckRefused =>
  new CheckRefused(
    `The coordinator refuses the token: ${answer}. The check needs one that may do everything.`,
  )
