import { expect, test } from 'vitest'
import { globalId, keyAsked, keyFilter, keyInAddress, readGlobalId, uuidOf } from './global-id.ts'

const RELEASE = 'UmVsZWFzZU5vZGU6UkVfSlhKSFdRV1M='

test('an id is the type and our own id in base 64, with its padding', () => {
  expect(globalId('ReleaseNode', 'RE_JXJHWQWS')).toBe(RELEASE)
  expect(readGlobalId(RELEASE)).toEqual({ type: 'ReleaseNode', key: 'RE_JXJHWQWS' })
})

const encoded = (text: string) => Buffer.from(text).toString('base64')

test.each([
  ['nothing', ''],
  ['our own id', 'RE_JXJHWQWS'],
  ['without its padding', RELEASE.slice(0, -1)],
  ['with a space', `${RELEASE} `],
  ['no colon', encoded('ReleaseNode')],
  ['no key', encoded('ReleaseNode:')],
  ['no type', encoded(':RE_JXJHWQWS')],
  ['a path', encoded('ReleaseNode:../studies/sync')],
  ['a NUL', encoded('ReleaseNode:RE_\0')],
])('%s is no id: no node, an error in a filter, nobody in an address', (_, id) => {
  expect(readGlobalId(id)).toBeNull()
  expect(keyAsked('ReleaseNode', id)).toBeNull()
  expect(() => keyFilter('ReleaseNode', id)).toThrow('Must receive a ReleaseNode id.')
  expect(keyInAddress('ReleaseNode', id)).toBe('none')
})

test('an id of another type is refused, and leads nowhere', () => {
  const study = globalId('StudyNode', 'SD_00000001')
  expect(() => keyAsked('ReleaseNode', study)).toThrow('Must receive a ReleaseNode id.')
  expect(() => keyFilter('ReleaseNode', study)).toThrow('Must receive a ReleaseNode id.')
  expect(keyInAddress('ReleaseNode', study)).toBe('none')
  expect(keyInAddress('StudyNode', study)).toBe('SD_00000001')
})

test('a filter that is not given does not narrow', () => {
  expect([keyFilter('TaskNode', null), keyFilter('TaskNode', undefined)]).toEqual([null, null])
})

test('the UUID of an id is always the same one, and one of its own', () => {
  expect(uuidOf('RE_00000001')).toMatch(
    /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  )
  expect(uuidOf('RE_00000001')).toBe(uuidOf('RE_00000001'))
  expect(uuidOf('RE_00000001')).not.toBe(uuidOf('RE_00000002'))
})
