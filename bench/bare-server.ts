// The least that Node can do: reads the body, parses it, and answers the same bytes to everything. No state, no disk.
import { createServer } from 'node:http'

const body = process.argv[2] ?? '{}'
const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    JSON.parse(Buffer.concat(chunks).toString() || '{}')
    response.writeHead(200, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(body),
    })
    response.end(body)
  })
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.send?.({
    type: 'listening',
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
  })
})
process.on('disconnect', () => process.exit())
