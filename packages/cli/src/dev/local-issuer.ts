import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openIssuer, type Issuer } from '@release-task/auth/issuer'
import { createApp, createLogger, listen } from '@release-task/http'
import { CliError } from '../errors.ts'
import { AUDIENCES, roleToken, type RoleWish } from './role-token.ts'
import { addTokenEndpoint, originsOf, TOKEN_PATH } from './token-endpoint.ts'

const COORDINATOR = 'coordinator'

/** What the terminal beside `dev` must know to issue a token; the key lies beside it. */
export interface IssuerNote {
  readonly issuer: string
  readonly coordinator: string
}

export interface LocalIssuer {
  readonly url: string
  /** Settings of a process that `dev` starts; null: the coordinator. */
  environmentOf(task: string | null): Record<string, string>
  /** A token for the coordinator, of whoever sits at this terminal. */
  adminToken(): Promise<string>
  /** Where the coordinator is: for `release-task token` in another terminal, and for the page, which may then ask too. */
  note(coordinatorUrl: string): void
  close(): Promise<void>
}

const folderOf = (data: string): string => join(data, 'issuer')
const noteOf = (data: string): string => join(folderOf(data), 'issuer.json')

/**
 * The issuer of `dev`, on the loopback address: its key is kept in the data folder, the secrets of its clients live
 * as long as this process. So everybody works with authentication from the first minute on, as in production.
 */
export async function startIssuer(
  data: string,
  port: number,
  tasks: readonly string[],
): Promise<LocalIssuer> {
  const secrets = new Map(
    [COORDINATOR, ...tasks].map((name) => [name, randomBytes(24).toString('base64url')]),
  )
  const clients = [...secrets].map(([id, secret]) => ({
    id,
    secret,
    audiences: [id === COORDINATOR ? AUDIENCES.task : AUDIENCES.coordinator],
  }))
  mkdirSync(folderOf(data), { recursive: true })
  let issuer: Issuer | null = null
  const opened = () => issuer as Issuer
  // Filled once the coordinator listens, which needs the issuer before.
  const corsOrigins: string[] = []
  let coordinatorUrl = ''
  const app = await createApp({
    title: 'Issuer',
    version: '1',
    logger: createLogger('issuer', 'silent'),
    corsOrigins,
  })
  app.get('/.well-known/jwks.json', async () => opened().jwks())
  app.post('/oauth/token', async (request, reply) => {
    const { status, body } = await opened().token(request.body)
    return reply.status(status).send(body)
  })
  addTokenEndpoint(app, {
    origins: corsOrigins,
    issue: async (role) => ({
      access_token: await roleToken(opened(), { role, receiver: 'coordinator', coordinator: coordinatorUrl }),
      expires_in: opened().lifeSeconds,
    }),
  })
  const url = await listen(app, { host: '127.0.0.1', port, auth: null })
  issuer = await openIssuer({ folder: folderOf(data), issuer: url, clients })
  return {
    url,
    environmentOf: (task) => environmentOf(url, task, secrets),
    adminToken: () =>
      roleToken(opened(), { role: 'admin', receiver: 'coordinator', coordinator: coordinatorUrl }),
    note: (coordinator) => {
      coordinatorUrl = coordinator
      corsOrigins.push(...originsOf(coordinator))
      const note: IssuerNote = { issuer: url, coordinator }
      writeFileSync(noteOf(data), JSON.stringify(note, null, 2) + '\n')
    },
    close: () => app.close(),
  }
}

function environmentOf(url: string, task: string | null, secrets: ReadonlyMap<string, string>) {
  const name = task ?? COORDINATOR
  const [own, other] =
    task === null ? [AUDIENCES.coordinator, AUDIENCES.task] : [AUDIENCES.task, AUDIENCES.coordinator]
  return {
    AUTH: 'on',
    AUTH_ISSUER: url,
    AUTH_AUDIENCE: own,
    AUTH_CLIENT_ID: name,
    AUTH_CLIENT_SECRET: secrets.get(name) ?? '',
    AUTH_TOKEN_AUDIENCE: other,
    ...(task === null ? { DASHBOARD_DEV_TOKEN_URL: `${url}${TOKEN_PATH}` } : {}),
  }
}

/** What `dev` wrote down for the terminal beside it. @throws CliError TOKEN_UNAVAILABLE */
export function readNote(data: string): IssuerNote {
  try {
    return JSON.parse(readFileSync(noteOf(data), 'utf8')) as IssuerNote
  } catch (error) {
    const next = 'npm start, and then npx release-task token --role admin in another terminal'
    throw new CliError('TOKEN_UNAVAILABLE', `No issuer has run in ${data} yet`, next, error)
  }
}

/** A token of the issuer whose key lies in the data folder; `dev` need not be asked for it. */
export async function issueToken(data: string, wish: Omit<RoleWish, 'coordinator'>): Promise<string> {
  const { issuer, coordinator } = readNote(data)
  const opened = await openIssuer({ folder: folderOf(data), issuer, clients: [] })
  return roleToken(opened, { ...wish, coordinator })
}
