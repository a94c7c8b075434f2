import { describe, expect, test } from 'vitest'
import { SseParser } from './sse.ts'

describe('SseParser', () => {
  test('an id without data is no event, and is where to resume', () => {
    const parser = new SseParser()
    expect(parser.push('retry: 2000\nid: 41\n\n')).toEqual([])
    expect(parser.lastEventId).toBe('41')
  })

  test('comments are nothing', () => expect(new SseParser().push(': still here\n\n')).toEqual([]))

  test('any cut gives the same events', () => {
    const text = 'id: 1\ndata: {"a":1}\n\nid: 2\r\ndata: x\r\ndata: y\r\n\r\n'
    const expected = [
      { id: '1', data: '{"a":1}' },
      { id: '2', data: 'x\ny' },
    ]
    for (let cut = 0; cut <= text.length; cut++) {
      const parser = new SseParser()
      expect([...parser.push(text.slice(0, cut)), ...parser.push(text.slice(cut))]).toEqual(expected)
    }
  })

  test('what is not finished does not count', () => {
    const parser = new SseParser('7')
    expect(parser.push('data: half')).toEqual([])
    expect(parser.lastEventId).toBe('7')
    expect(parser.push(' and half\n\n')).toEqual([{ id: '7', data: 'half and half' }])
  })

  test('one space after the colon belongs to the colon', () =>
    expect(new SseParser().push('data:  a: b\n\n')).toEqual([{ id: null, data: ' a: b' }]))
})
