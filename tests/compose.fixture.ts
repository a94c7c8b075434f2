import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

const ROOT = new URL('../', import.meta.url)

export interface Service {
  readonly image?: string
  readonly build?: string
  readonly init?: boolean
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly networks?: readonly string[]
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly stop_grace_period?: string
  readonly healthcheck?: { readonly test: readonly string[] }
}

export interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly networks?: Readonly<Record<string, { readonly external?: boolean; readonly name?: string }>>
  readonly volumes?: Readonly<Record<string, unknown>>
}

/** A compose file with its defaults filled in, as an engine reads it where no variable is set. */
export function readCompose(name: string): Compose {
  const text = readFileSync(new URL(name, ROOT), 'utf8')
  const filled = text.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1')
  return parse(filled, { merge: true }) as Compose
}

/** What the image runs where a service says nothing else. */
export function imageCommand(): string[] {
  const lines = readFileSync(new URL('Dockerfile', ROOT), 'utf8').split('\n')
  const command = lines.findLast((line) => line.startsWith('CMD '))
  return JSON.parse(command?.slice('CMD '.length) ?? '[]') as string[]
}

/** The image's folder /app: here the repository. */
export const APP = fileURLToPath(ROOT)
