import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type CryptoKey, type JWK } from 'jose'
import { randomUUID } from 'node:crypto'
import { link, mkdir, open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { AuthError } from './errors.ts'

/** RS256 because that is what existing task services can check. */
export const ISSUER_ALGORITHM = 'RS256'

export interface IssuerKey {
  readonly kid: string
  readonly privateKey: CryptoKey
  /** As the key set shows it. */
  readonly publicJwk: JWK
}

/**
 * The key of the local issuer, made at the first call and kept in `folder`, for its owner alone to read. Processes
 * that start together agree on one.
 * @throws AuthError ISSUER_KEY_UNREADABLE
 */
export async function issuerKey(folder: string): Promise<IssuerKey> {
  const file = join(folder, 'issuer-key.json')
  const stored = await readKey(file)
  if (stored !== null) return usableKey(file, stored)
  await mkdir(folder, { recursive: true })
  await writeOnce(file, await newKey())
  return usableKey(file, (await readKey(file)) ?? '')
}

async function readKey(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw unreadable(file, error)
  }
}

async function newKey(): Promise<string> {
  const { privateKey } = await generateKeyPair(ISSUER_ALGORITHM, { extractable: true })
  return JSON.stringify(await exportJWK(privateKey))
}

/** Whole or not at all: linking a finished file fails where somebody else was first, and then theirs is the key. */
async function writeOnce(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomUUID()}`
  const handle = await open(draft, 'wx', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
    await link(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await handle.close()
    await rm(draft)
  }
}

async function usableKey(file: string, text: string): Promise<IssuerKey> {
  try {
    const jwk = JSON.parse(text) as { kty: 'RSA'; n: string; e: string; d: string }
    const privateKey = await importJWK(jwk, ISSUER_ALGORITHM)
    if (privateKey.type !== 'private') throw new TypeError('no private key')
    const shown = { kty: jwk.kty, n: jwk.n, e: jwk.e }
    const kid = await calculateJwkThumbprint(shown)
    return { kid, privateKey, publicJwk: { ...shown, kid, alg: ISSUER_ALGORITHM, use: 'sig' } }
  } catch {
    // Without the cause: a parser quotes what it could not read, and that is a private key.
    throw unreadable(file)
  }
}

function unreadable(file: string, cause?: unknown): AuthError {
  return new AuthError(
    'ISSUER_KEY_UNREADABLE',
    `${file} holds no key that can be used: remove it, and a new one is made; tokens that were issued until then end`,
    cause,
  )
}
