import type { App } from './app.ts'
import { ListenError } from './errors.ts'
import { portHolder } from './port-holder.ts'

export interface ListenOptions {
  readonly host: string
  readonly port: number
  /** `off`, and `yes` besides, were written by the operator: the only way onto an address that others reach. */
  readonly auth: 'on' | 'off' | null
  readonly authOffPublic?: 'yes' | null
}

const LOOPBACK = /^(localhost|::1|127(\.\d{1,3}){3})$/

/**
 * Opens the port.
 * @returns the address, `http://host:port`, with the port that was really taken
 * @throws ListenError with one line for whoever starts the program
 */
export async function listen(app: App, options: ListenOptions): Promise<string> {
  const isMeant = options.auth === 'on' || (options.auth === 'off' && options.authOffPublic === 'yes')
  if (!LOOPBACK.test(options.host) && !isMeant)
    throw new ListenError(
      'ADDRESS_REFUSED',
      `HOST=${options.host} is reachable from other machines, and nothing here checks who calls: set AUTH=on, or AUTH=off and AUTH_OFF_PUBLIC=yes if that is meant`,
    )
  try {
    await app.listen({ host: options.host, port: options.port })
  } catch (error) {
    throw listenError(options, error)
  }
  const address = app.server.address()
  const port = typeof address === 'object' && address ? address.port : options.port
  return `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}`
}

function listenError({ host, port }: ListenOptions, error: unknown): ListenError {
  if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') {
    const why = error instanceof Error ? error.message : String(error)
    return new ListenError('LISTEN_FAILED', `Cannot listen on ${host}:${port}: ${why}`, error)
  }
  const pid = portHolder(port)
  const holder = pid === null ? 'another process' : `process ${pid}`
  return new ListenError(
    'PORT_IN_USE',
    `Port ${port} is in use by ${holder}: stop it, or set another port`,
    error,
  )
}
