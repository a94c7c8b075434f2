import { commandSettings } from '../people/config.ts'
import { tokensFor } from '../people/credentials.ts'
import type { CommonFlags } from '../people/desk.ts'
import type { Receiver } from '../dev/role-token.ts'

/** A token for the side that is checked, from wherever commands take theirs; null: nowhere. */
export async function tokenOf(
  { token, data }: CommonFlags,
  receiver: Receiver,
  coordinator?: string,
): Promise<string | null> {
  const settings = commandSettings()
  const at = coordinator ?? settings.coordinatorApi
  const tokens = tokensFor({ settings, receiver, token, data, coordinator: at, role: 'admin' })
  return (await tokens?.token()) ?? null
}
