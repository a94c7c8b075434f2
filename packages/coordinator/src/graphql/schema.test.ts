import { buildSchema, printSchema } from 'graphql'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { SDL } from './schema.ts'

test('the schema is the committed one: every name of it is known to clients', () => {
  const committed = readFileSync(new URL('../../../../docs/schema.graphql', import.meta.url), 'utf8')
  expect(`${printSchema(buildSchema(SDL))}\n`).toBe(committed)
})
