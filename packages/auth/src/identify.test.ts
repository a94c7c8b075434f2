import { expect, test } from 'vitest'
import { ANONYMOUS, type Caller } from './caller.ts'
import { AuthError } from './errors.ts'
import { identify } from './identify.ts'

const ADA: Caller = { kind: 'user', id: '1', name: 'Ada', role: 'ADMIN', studies: [] }
const knowing = { verify: async (token: string) => (token === 'good' ? ADA : refuse()) }

function refuse(): never {
  throw new AuthError('KEYS_UNAVAILABLE', 'away')
}

test('a good token is somebody', async () =>
  expect(await identify('Bearer good', knowing)).toEqual({ caller: ADA, problem: null }))

test.each([
  [undefined, 'TOKEN_MISSING'],
  ['', 'TOKEN_MISSING'],
  ['Bearer', 'TOKEN_INVALID'],
  ['Basic good', 'TOKEN_INVALID'],
  [['Bearer good', 'Bearer good'], 'TOKEN_INVALID'],
  ['Bearer bad', 'KEYS_UNAVAILABLE'],
])('%j is anonymous, and the log knows why: %s', async (header, code) =>
  expect(await identify(header, knowing)).toMatchObject({ caller: ANONYMOUS, problem: { code } }),
)

test('what is no failure of authentication is not swallowed', async () => {
  const broken = { verify: () => Promise.reject(new RangeError('a fault of the program')) }
  await expect(identify('Bearer good', broken)).rejects.toThrow('a fault of the program')
})
