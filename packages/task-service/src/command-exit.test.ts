import { expect, test } from 'vitest'
import { errorOfEnd, errorOfStart } from './command-exit.ts'
import { isPermanent } from './outcome.ts'

const LAST = ['Traceback (most recent call last):', "KeyError: 'kf_id'"]
const end = (code: number | null, signal: NodeJS.Signals | null = null) =>
  errorOfEnd('"python3 stage.py"', { code, signal }, LAST)

test('0 is done', () => expect(end(0)).toBeNull())

test.each([
  [75, null, 'asks to be tried again'],
  [137, null, 'exit code 137'],
  [143, null, 'exit code 143'],
  [null, 'SIGKILL', 'was killed by SIGKILL'],
  [null, 'SIGSEGV', 'was killed by SIGSEGV'],
] as const)('exit code %s, signal %s: to be tried again', (code, signal, text) => {
  const error = end(code, signal)
  expect(error?.message).toContain(text)
  expect(isPermanent(error)).toBe(false)
})

test.each([1, 2, 3, 74, 76, 126, 127, 130, 139, 255])('exit code %s: failed for good', (code) => {
  const error = end(code)
  expect(isPermanent(error)).toBe(true)
  expect(error?.message).toBe(
    `"python3 stage.py" ended with exit code ${code}: Traceback (most recent call last):\nKeyError: 'kf_id'`,
  )
  expect(error?.stack).toContain('The last lines of its log:\nTraceback')
})

test('of many and long lines the message has the end, the stack has all', () => {
  const last = Array.from({ length: 50 }, (_, line) => `${line} ${'x'.repeat(300)}`)
  const error = errorOfEnd('p', { code: 1, signal: null }, [...last, 'the cause'])
  expect(error?.message.length).toBeLessThan(600)
  expect(error?.message).toMatch(/the cause$/)
  expect(error?.stack).toContain('0 xxx')
})

test.each(['ENOENT', 'EACCES', 'ENOTDIR'])('%s: for good, and it names the program', (code) => {
  const error = errorOfStart('"nothing there"', Object.assign(new Error('spawn'), { code }))
  expect(error.message).toMatch(new RegExp(`^Cannot run "nothing there": .*${code}`))
  expect(isPermanent(error)).toBe(true)
})

test('a machine that has no room for another process is asked again', () => {
  expect(isPermanent(errorOfStart('p', Object.assign(new Error('spawn EAGAIN'), { code: 'EAGAIN' })))).toBe(
    false,
  )
})
