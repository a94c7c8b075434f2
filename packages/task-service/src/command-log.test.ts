import { expect, test } from 'vitest'
import { ProgramLog } from './command-log.ts'

const TOKEN = 'eyJhbGciOi.J9.secret'

function newLog() {
  const logged: { message: string; fields: unknown }[] = []
  const info = (message: string, fields?: unknown) => void logged.push({ message, fields })
  const log = new ProgramLog({ info, warn: info, error: info }, [TOKEN, null])
  const hear = (text: string, cut = false) => log.line('stderr', log.told({ text, cut }))
  return { log, logged, hear, messages: () => logged.map(({ message }) => message) }
}

test('a line says which stream it is of; empty ones are none', () => {
  const { hear, logged } = newLog()
  hear('hello')
  hear('  ')
  expect(logged).toEqual([{ message: 'hello', fields: { stream: 'stderr' } }])
})

test('a token appears nowhere: not in the log, not in the last lines, not at the end of a line that was cut', () => {
  const { hear, log, messages } = newLog()
  hear(`curl -H "authorization: Bearer ${TOKEN}" and ${TOKEN}`)
  hear(`${'x'.repeat(100)}${TOKEN.slice(0, -1)}`, true)
  expect(messages()[0]).toBe('curl -H "authorization: Bearer [token]" and [token]')
  for (const line of [...messages(), ...log.last()]) expect(line).not.toContain(TOKEN.slice(0, 8))
})

test('long lines are cut in the log, and say so; a token across the cut does not show either', () => {
  const { hear, messages } = newLog()
  hear('x'.repeat(2500))
  hear('x'.repeat(1995) + TOKEN)
  expect(messages()[0]).toBe(`${'x'.repeat(2000)}… (500 characters more)`)
  expect(messages()[1]).not.toContain(TOKEN.slice(0, 5))
})

test('the last fifty lines are kept', () => {
  const { hear, log } = newLog()
  for (let line = 1; line <= 60; line++) hear(String(line))
  expect(log.last()).toHaveLength(50)
  expect(log.last().at(-1)).toBe('60')
})
