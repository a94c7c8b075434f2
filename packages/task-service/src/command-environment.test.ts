import { expect, test } from 'vitest'
import { inherited, longValues, runVariables, type RunFacts } from './command-environment.ts'

const FACTS: RunFacts = {
  task: { id: 'TA_00000001', releaseId: 'RE_00000001', studies: ['SD_1', 'SD_2'], attempt: 3 },
  name: 'mine',
  version: '1.2.0',
  phase: 'discard',
  mark: 'random',
  access: { url: 'http://127.0.0.1:5001', token: 'secret' },
  steps: { count: 7 },
  staged: { table: 'new' },
  from: 'publishing',
  folders: { work: '/r/w', stage: '/r/s', release: '/r' },
}
const file = (name: string) => `/r/${name}`

test('everything that a run is about', () => {
  expect(runVariables(FACTS, file)).toEqual({
    RELEASE_TASK_ID: 'TA_00000001',
    RELEASE_ID: 'RE_00000001',
    STUDIES: 'SD_1,SD_2',
    STUDIES_JSON: '["SD_1","SD_2"]',
    STUDIES_FILE: '/r/STUDIES_JSON',
    ATTEMPT: '3',
    TASK_NAME: 'mine',
    TASK_VERSION: '1.2.0',
    PHASE: 'discard',
    FROM_STATE: 'publishing',
    WORK_DIR: '/r/w',
    STAGE_DIR: '/r/s',
    RELEASE_DIR: '/r',
    COORDINATOR_API: 'http://127.0.0.1:5001',
    COORDINATOR_TOKEN: 'secret',
    STEPS: '{"count":7}',
    STEPS_FILE: '/r/STEPS',
    STAGED: '{"table":"new"}',
    STAGED_FILE: '/r/STAGED',
    RELEASE_TASK_RUN: 'random',
  })
})

test('what a phase does not have is not set', () => {
  const facts: RunFacts = {
    ...FACTS,
    phase: 'stage',
    access: { url: 'http://c', token: null },
    staged: undefined,
    from: undefined,
    folders: { ...FACTS.folders, stage: null },
  }
  const names = Object.keys(runVariables(facts, file))
  for (const name of ['STAGED', 'STAGED_FILE', 'FROM_STATE', 'STAGE_DIR', 'COORDINATOR_TOKEN'])
    expect(names).not.toContain(name)
  // Where stage has returned nothing that is said, and is not the same.
  expect(runVariables({ ...FACTS, staged: null }, file)['STAGED']).toBe('null')
})

test('what does not fit into a variable is only in its file', () => {
  const studies = Array.from({ length: 5000 }, (_, number) => `SD_${number}`)
  const facts = { ...FACTS, task: { ...FACTS.task, studies } }
  const variables = runVariables(facts, file)
  expect([variables['STUDIES'], variables['STUDIES_JSON']]).toEqual([undefined, undefined])
  expect(variables['STUDIES_FILE']).toBe('/r/STUDIES_JSON')
  expect(JSON.parse(longValues(facts)['STUDIES_JSON'] ?? '')).toHaveLength(5000)
})

test('inherited is everything that is no secret', () => {
  const env = {
    PATH: '/bin',
    LANG: 'C',
    SPARK_HOME: '/spark',
    RELEASE_DIR: '/r',
    AUTH_CLIENT_SECRET: 's',
    AUTH_TOKEN_URL: 's',
    AUTH0_KEY: 's',
    DATABASE_URL: 's',
    QUEUE_URL: 's',
    COORDINATOR_TOKEN: 's',
    GITHUB_TOKEN: 's',
    AWS_SECRET_ACCESS_KEY: 's',
    MY_PASSWORD: 's',
    PGPASSWORD: 'p',
    FROM_STATE: 'of another run',
    UNSET: undefined,
  }
  const names = ['PATH', 'LANG', 'SPARK_HOME', 'RELEASE_DIR', 'PYTHONUNBUFFERED']
  expect(Object.keys(inherited(env, [])).toSorted()).toEqual(names.toSorted())
  const asked = ['PGPASSWORD', 'DATABASE_URL', 'AUTH_CLIENT_SECRET', 'QUEUE_URL']
  expect(Object.keys(inherited(env, asked)).toSorted()).toEqual([...names, 'PGPASSWORD'].toSorted())
  expect(inherited({ PYTHONUNBUFFERED: '' }, [])).toEqual({ PYTHONUNBUFFERED: '' })
})
