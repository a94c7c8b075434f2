import type { Socket } from 'node:net'
import type { App } from './app.ts'

const PATIENCE_MS = 1000 // 1 s for a request of which a part has arrived

/**
 * Ends connections that nothing was ever asked on, once the server stops: node counts them as busy until their headers
 * are overdue, and stops looking for those the moment it closes. A browser opens such connections in advance.
 */
export function endUnusedConnections(app: App): void {
  const unused = new Set<Socket>()
  let isClosing = false
  const end = (socket: Socket) => {
    if (socket.bytesRead === 0) socket.destroy()
    else setTimeout(() => unused.has(socket) && socket.destroy(), PATIENCE_MS).unref()
  }
  app.server.on('connection', (socket: Socket) => {
    unused.add(socket)
    socket.once('close', () => unused.delete(socket))
    if (isClosing) end(socket)
  })
  app.server.on('request', ({ socket }) => unused.delete(socket))
  app.addHook('preClose', async () => {
    isClosing = true
    unused.forEach(end)
  })
}
