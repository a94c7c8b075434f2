import { AUTH_SETTINGS } from '@release-task/auth'
import { TASK_SERVICE_SETTINGS } from '@release-task/task-service'
import { expect, test } from 'vitest'
import { COMMAND_SETTINGS } from './settings.ts'

const SIDES = { ...AUTH_SETTINGS, coordinatorApi: TASK_SERVICE_SETTINGS.coordinatorApi }
const shared = Object.keys(SIDES).filter((key) => key in COMMAND_SETTINGS) as (keyof typeof SIDES &
  keyof typeof COMMAND_SETTINGS)[]

test.each(shared)('%s is the setting that a task service has', (key) => {
  const { name, default: text, form } = SIDES[key]
  expect(COMMAND_SETTINGS[key]).toMatchObject({ name, default: text, form })
})

test('all but the given tokens are such settings', () =>
  expect(Object.keys(COMMAND_SETTINGS).filter((key) => !shared.some((one) => one === key))).toEqual([
    'token',
    'serviceToken',
  ]))
