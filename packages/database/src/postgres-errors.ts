import { DatabaseError } from './errors.ts'

/** The five characters by which PostgreSQL names an error; null where it is none of the server's own. */
function sqlState(error: unknown): string | null {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : null
}

/** 23505 unique_violation. */
export function isDuplicate(error: unknown): boolean {
  return sqlState(error) === '23505'
}

/**
 * Nothing was stored, and the same may well succeed in a moment: 40001 serialization_failure,
 * 40P01 deadlock_detected, 55P03 lock_not_available.
 */
export function isPassing(error: unknown): boolean {
  return ['40001', '40P01', '55P03'].includes(sqlState(error) ?? '')
}

/**
 * The connection is of no use any more, or there was none: class 08, the server is stopping or starting (57P…),
 * too many connections (53300), a statement that took too long (57014), or no answer at all.
 */
export function isConnectionTrouble(error: unknown): boolean {
  if (error instanceof DatabaseError) return false
  const state = sqlState(error)
  if (state !== null) return /^(08|57P|53300|57014|25P03)/.test(state)
  const { code, message } = error as { code?: unknown; message?: string }
  return (
    (typeof code === 'string' && /^E[A-Z_]+$/.test(code)) ||
    /connection|timeout|terminated|not queryable/i.test(message ?? '')
  )
}

export function unreachable(error: unknown): DatabaseError {
  const why = error instanceof Error ? error.message || error.name : String(error)
  return new DatabaseError('DATABASE_UNREACHABLE', `The database does not answer: ${why}`, error)
}
