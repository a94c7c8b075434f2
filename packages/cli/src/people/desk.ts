import type { LocalRole } from '@release-task/auth'
import { SettingsError } from '@release-task/settings'
import { commandSettings } from './config.ts'
import { sideOf, type Side } from './asking.ts'
import { isAuthError, tokensFor } from './credentials.ts'
import { CommandError, errorText } from './errors.ts'
import { EXIT } from './exit-codes.ts'
import { printable } from './printable.ts'
import { obeyTerminal } from './terminal.ts'

/** What every one of these commands takes. */
export interface CommonFlags {
  readonly coordinator?: string
  readonly token?: string
  readonly data: string
  readonly json: boolean
}

/** What a command works with. */
export interface Desk {
  readonly coordinator: Side
  /** A task service, with a token for it and never with the coordinator's. */
  readonly service: (url: string, role: LocalRole, token?: string) => Side
  readonly json: boolean
  /** The answer of a command: the document where `--json` is given, else its lines. */
  readonly print: <T>(document: T, lines: (document: T) => readonly string[]) => void
}

type Work<Flags> = (desk: Desk, flags: Flags & CommonFlags) => Promise<number | void>

/**
 * Does the work of a command and ends the process, with the exit code that it returns or that its error has.
 * @param role the least that suffices at the coordinator
 */
export async function run<Flags>(
  flags: Flags & CommonFlags,
  role: LocalRole,
  work: Work<Flags>,
): Promise<void> {
  obeyTerminal()
  const code = await exitCodeOf(flags, role, work)
  // What was printed is taken before the process ends.
  await new Promise<void>((taken) => process.stdout.write('', () => taken()))
  process.exit(code)
}

async function exitCodeOf<Flags>(
  flags: Flags & CommonFlags,
  role: LocalRole,
  work: Work<Flags>,
): Promise<number> {
  try {
    return (await work(deskOf(flags, role), flags)) ?? EXIT.done
  } catch (error) {
    const told = commandError(error)
    console.error(errorText(told, flags.json))
    return told.exitCode
  }
}

/** @throws error where it is a mistake in our code, and none of what was typed */
function commandError(error: unknown): CommandError {
  if (error instanceof CommandError) return error
  if (error instanceof SettingsError)
    return new CommandError('USAGE_INVALID', error.message, '--help shows the settings', error)
  if (isAuthError(error))
    return new CommandError('NOT_PERMITTED', error.message, '--token, or RELEASE_TASK_TOKEN', error)
  throw error
}

function deskOf(flags: CommonFlags, role: LocalRole): Desk {
  const settings = commandSettings()
  const { data, json } = flags
  const url = flags.coordinator ?? settings.coordinatorApi
  const wish = { settings, data, coordinator: url }
  const own = tokensFor({ ...wish, receiver: 'coordinator', token: flags.token, role })
  return {
    coordinator: sideOf('coordinator', url, own),
    service: (address, serviceRole, token) =>
      sideOf(
        'task service',
        address.replace(/\/+$/, ''),
        tokensFor({ ...wish, receiver: 'task', token, role: serviceRole }),
      ),
    json,
    print: (document, lines) =>
      console.log(json ? JSON.stringify(document, null, 2) : lines(printable(document)).join('\n')),
  }
}
