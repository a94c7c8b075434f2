/** Every error of this package; docs/errors.md lists the same codes, and a test compares them. */
export const DATABASE_ERRORS = {
  DATABASE_URL_INVALID: 'The address of the database has a form that is not supported.',
  DATABASE_UNREACHABLE: 'The database cannot be opened: missing rights, a missing folder, a broken file.',
  DATABASE_PACKAGE_MISSING: 'PostgreSQL is asked for, and the package that reaches it is not installed.',
  DATABASE_OUTCOME_UNKNOWN:
    'The connection broke during a commit: look whether it is stored before you ask again.',
  DATABASE_BUSY:
    'Another process holds the database; the commit was tried for five seconds and is not stored.',
  DATABASE_FOREIGN: 'The database belongs to another service or to the other side.',
  DATABASE_NEWER: 'The database was migrated by a newer program than this one.',
  DATABASE_MIGRATION_CHANGED: 'A migration that this database has already run reads differently now.',
  DATABASE_IN_USE: 'Another process works on this database and does not share it.',
  BACKUP_UNSUPPORTED: 'PostgreSQL is backed up by its own pg_dump: the message is the command.',
} as const
export type DatabaseErrorCode = keyof typeof DATABASE_ERRORS

export class DatabaseError extends Error {
  override readonly name = 'DatabaseError'
  readonly code: DatabaseErrorCode

  constructor(code: DatabaseErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}
