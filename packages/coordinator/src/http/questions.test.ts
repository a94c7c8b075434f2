import { expect, test } from 'vitest'
import type { ListedTask } from '../store.ts'
import { createQuestions } from './questions.ts'

const listed = (id: string) => ({ task: { id }, releaseId: 'RE_00000001' }) as unknown as ListedTask
const [A, B] = [listed('TA_A'), listed('TA_B')]

function asking() {
  const open: { readonly id: string; answer(value: string): void; fail(error: Error): void }[] = []
  const ask = createQuestions(
    ({ task }) => new Promise<string>((answer, fail) => open.push({ id: task.id, answer, fail })),
  )
  return { ask, open }
}

test('however many ask: one question under way for a task, and one more that was put after all of them', async () => {
  const { ask, open } = asking()
  const first = ask(A)
  const others = Array.from({ length: 20 }, () => ask(A))
  expect(open).toHaveLength(1)
  open[0]?.answer('old')
  expect(await first).toBe('old')
  expect(open).toHaveLength(2)
  const later = ask(A)
  open[1]?.answer('new')
  expect(await Promise.all(others)).toEqual(Array(20).fill('new'))
  expect(open).toHaveLength(3)
  open[2]?.answer('newest')
  expect(await later).toBe('newest')
})

test('tasks do not wait for each other', () => {
  const { ask, open } = asking()
  void ask(A)
  void ask(B)
  expect(open.map(({ id }) => id)).toEqual(['TA_A', 'TA_B'])
})

test('a question that fails fails for who asked it, and the next one is put', async () => {
  const { ask, open } = asking()
  const first = ask(A)
  const second = ask(A)
  open[0]?.fail(new Error('away'))
  await expect(first).rejects.toThrow('away')
  open[1]?.answer('back')
  expect(await second).toBe('back')
  const third = ask(A)
  open[2]?.answer('again')
  expect(await third).toBe('again')
})
