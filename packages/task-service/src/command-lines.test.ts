import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { linesOf, type Line } from './command-lines.ts'

async function read(chunks: readonly (string | Buffer)[], mostChars?: number): Promise<Line[]> {
  const stream = Readable.from(chunks.map((chunk) => Buffer.from(chunk)))
  const lines: Line[] = []
  for await (const line of linesOf(stream, mostChars)) lines.push(line)
  return lines
}
const texts = async (...chunks: (string | Buffer)[]) => (await read(chunks)).map(({ text }) => text)

test('lines, however they come in; the last needs no end', async () => {
  expect(await texts('a\nb', 'c\n', '\n', 'd')).toEqual(['a', 'bc', '', 'd'])
  expect(await texts()).toEqual([])
  expect(await texts('a\n')).toEqual(['a'])
})

test('a letter that is cut in two by a chunk is whole; what is no UTF-8 harms nobody', async () => {
  const letter = Buffer.from('ü')
  expect(await texts(letter.subarray(0, 1), letter.subarray(1))).toEqual(['ü'])
  expect(await texts(Buffer.from([0xff, 0x61]))).toEqual(['\uFFFDa'])
})

test('what a database or a terminal would stumble over is left out', async () => {
  expect(await texts('a\0b\u001B[31mc\td\r\n')).toEqual(['ab[31mc\td'])
  expect(await texts('10 %\r20 %\r30 %\n')).toEqual(['30 %'])
})

test('of a line that does not end only its beginning is kept, and the next one is whole', async () => {
  expect(await read(['abcd', 'efgh', 'ij\nok\n'], 6)).toEqual([
    { text: 'abcdef', cut: true },
    { text: 'ok', cut: false },
  ])
  expect(await read(['abcdef\n'], 6)).toEqual([{ text: 'abcdef', cut: false }])
})

test('nothing more is read while a line is handled', async () => {
  let written = 0
  const endless = new Readable({
    read() {
      written++
      this.push('x'.repeat(1000) + '\n')
    },
  })
  const lines = linesOf(endless)
  await lines.next()
  await new Promise((resolve) => setTimeout(resolve, 50))
  const before = written
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(written).toBe(before)
  expect(written).toBeLessThan(200)
  await lines.return(undefined)
})
