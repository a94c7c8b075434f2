import { Kind, parse, type FieldNode, type GraphQLResolveInfo } from 'graphql'
import { expect, test } from 'vitest'
import { listed } from './connection.ts'
import { page, type Context } from './context.ts'
import { Budget, Sizes, tooLarge } from './limits.ts'
import { Reads } from './reads.ts'

function read(query: string) {
  const document = parse(query)
  const sizes = new Sizes(document)
  const [operation] = document.definitions
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('no operation')
  return { document, sizes, field: operation.selectionSet.selections[0] as FieldNode, operation }
}

test.each([
  ['{ a }', 1, 1],
  ['{ a b c }', 1, 3],
  ['{ a { b { c } } d }', 3, 4],
  ['{ ...F ...F } fragment F on Query { a { b } }', 2, 4],
  ['{ ... on Query { a { b } } }', 2, 2],
  ['{ a { __typename } }', 1, 2],
  ['{ __schema { types { fields { name } } } }', 0, 4],
  ['{ ...F } fragment F on Query { a ...F }', 1, 1],
  ['{ ...Missing a }', 1, 1],
])('%s is %i deep and has %i fields', (query, depth, fields) => {
  const { sizes, operation } = read(query)
  expect(sizes.of(operation.selectionSet)).toEqual({ depth, fields })
})

test('a fragment that doubles itself a hundred times is measured at once', () => {
  const fragments = Array.from({ length: 100 }, (_, index) =>
    index === 99
      ? `fragment F99 on Query { a }`
      : `fragment F${index} on Query { ...F${index + 1} ...F${index + 1} }`,
  )
  const { document, sizes } = read(`{ ...F0 } ${fragments.join(' ')}`)
  expect(tooLarge(document, sizes)?.message).toMatch(/^The query asks for .+ fields: 500 are the most\.$/)
})

test('every operation of a document is measured', () => {
  const { document, sizes } = read(`query A { a } query B { ${'a { '.repeat(12)} b ${'} '.repeat(12)} }`)
  expect(tooLarge(document, sizes)?.message).toBe('The query is 13 levels deep: 12 are the most.')
})

test('objects are paid for by their number and by what is asked of each', () => {
  const { sizes, field } = read('{ list { a b c d e f g h i j } }')
  const objects = new Budget(sizes)
  objects.take(20_000, [field])
  expect(() => objects.take(1, [field])).toThrow('more than 20000 objects')
  const wide = read(`{ list { ${Array.from({ length: 100 }, (_, index) => `f${index}`).join(' ')} } }`)
  const fields = new Budget(wide.sizes)
  fields.take(5000, [wide.field])
  expect(() => fields.take(1, [wide.field])).toThrow('500000 fields')
})

test('of lists that are asked for together none is looked up once the answer is too large', async () => {
  const { sizes, field } = read('{ list { a } }')
  const stores = {} as ConstructorParameters<typeof Reads>[0]
  const context = { reads: new Reads(stores), budget: new Budget(sizes) } as unknown as Context
  const info = { fieldName: 'list', fieldNodes: [field] } as unknown as GraphQLResolveInfo
  let asked = 0
  const rows = listed(Array.from({ length: 1000 }, (_, row) => row))
  const source = {
    ...rows,
    list: (window: { limit: number; offset: number }) => (asked++, rows.list(window)),
  }
  const lists = await Promise.allSettled(Array.from({ length: 100 }, () => page(source, {}, context, info)))
  expect(lists.filter(({ status }) => status === 'fulfilled').length).toBe(20)
  expect(asked).toBe(21)
})
