import { assert, asyncProperty, integer, nat, tuple } from 'fast-check'
import { expect, test } from 'vitest'
import { connect, cursorOf, listed, type Connection, type Paging } from './connection.ts'

const letters = 'abcdefghij'.split('')
const source = listed(letters)
const ask = (paging: Paging) => connect(source, paging, 'allTests')

async function shown(paging: Paging): Promise<[string, boolean, boolean]> {
  const { edges, pageInfo } = await ask(paging)
  return [edges.map(({ node }) => node).join(''), pageInfo.hasPreviousPage, pageInfo.hasNextPage]
}

test.each<[Paging, string, boolean, boolean]>([
  [{}, 'abcdefghij', false, false],
  [{ first: 3 }, 'abc', false, true],
  [{ first: 0 }, '', false, true],
  [{ first: 10 }, 'abcdefghij', false, false],
  [{ first: 3, after: cursorOf(2) }, 'def', false, true],
  [{ first: 3, after: cursorOf(8) }, 'j', false, false],
  [{ after: cursorOf(20) }, '', false, false],
  [{ before: cursorOf(2) }, 'ab', false, false],
  [{ first: 1, before: cursorOf(2) }, 'a', false, true],
  [{ first: 5, before: cursorOf(2) }, 'ab', false, false],
  [{ last: 3 }, 'hij', true, false],
  [{ last: 0 }, '', true, false],
  [{ last: 3, before: cursorOf(4) }, 'bcd', true, false],
  [{ last: 3, before: cursorOf(40) }, 'hij', true, false],
  [{ last: 30, after: cursorOf(4) }, 'fghij', false, false],
  [{ first: 4, last: 2 }, 'cd', true, true],
  [{ first: null, last: null, after: '', before: null }, 'abcdefghij', false, false],
])('%j is %s', async (paging, rows, previous, next) =>
  expect(await shown(paging)).toEqual([rows, previous, next]),
)

test('each row says its place, and a page where it begins and ends', async () => {
  const { edges, pageInfo } = await ask({ first: 2, after: cursorOf(3) })
  expect(edges.map(({ cursor }) => cursor)).toEqual([cursorOf(4), cursorOf(5)])
  expect(pageInfo).toMatchObject({ startCursor: cursorOf(4), endCursor: cursorOf(5) })
  expect((await ask({ first: 0 })).pageInfo).toMatchObject({ startCursor: null, endCursor: null })
  expect(cursorOf(0)).toBe('YXJyYXljb25uZWN0aW9uOjA=')
})

test.each<[Paging, string]>([
  [
    { first: 101 },
    'Requesting 101 records on the `allTests` connection exceeds the `first` limit of 100 records.',
  ],
  [{ last: 101 }, 'Requesting 101 records on the `allTests` connection exceeds'],
  [{ first: -1 }, 'Argument "first" must not be negative.'],
  [{ last: -1 }, 'Argument "last" must not be negative.'],
  [{ after: 'x' }, 'Argument "after" is no cursor of a list.'],
  [
    { before: Buffer.from('arrayconnection:-1').toString('base64') },
    'Argument "before" is no cursor of a list.',
  ],
  [{ after: cursorOf(2 ** 60) }, 'Argument "after" is no cursor of a list.'],
])('%j is refused', async (paging, message) => {
  await expect(ask(paging)).rejects.toThrow(message)
})

test('a list has at most a thousand rows, and says that there are more', async () => {
  const { edges, pageInfo } = await connect(listed(Array.from({ length: 1500 }, (_, row) => row)), {}, 'many')
  expect([edges.length, pageInfo.hasNextPage]).toEqual([1000, true])
})

test('from page to page every row comes once, in its order, whatever the sizes', async () => {
  const sizes = tuple(nat(60), integer({ min: 1, max: 100 }))
  await assert(
    asyncProperty(sizes, async ([length, first]) => {
      const rows = Array.from({ length }, (_, row) => row)
      const seen: number[] = []
      for (let after: string | null = null, more = true; more;) {
        const part: Connection<number> = await connect(listed(rows), { first, after }, 'many')
        seen.push(...part.edges.map(({ node }) => node))
        more = part.pageInfo.hasNextPage
        after = part.pageInfo.endCursor
      }
      expect(seen).toEqual(rows)
    }),
  )
})
