import { DatabaseError } from './errors.ts'

/** Whose database it is; written into it when it is new. */
export interface Identity {
  readonly side: string
  readonly name: string
}

export function foreign(database: string, key: string, holder: string, own: string): DatabaseError {
  return new DatabaseError(
    'DATABASE_FOREIGN',
    `The database ${database} belongs to the ${key} "${holder}", not to "${own}": give each service its own`,
  )
}
