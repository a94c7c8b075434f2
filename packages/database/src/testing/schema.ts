import type { Database } from '../database.ts'

/**
 * The tables and indexes of a database as text, always in the same order. Committed, and compared by a test: a change
 * of the schema is seen in review as what it makes of the schema, on both databases.
 */
export function dumpSchema(database: Database, kind: 'sqlite' | 'postgresql'): Promise<string> {
  return kind === 'sqlite' ? dumpSqlite(database) : dumpPostgres(database)
}

const query = <Row>(database: Database, sql: string) => database.all<Row>({ sql, names: [] })

async function dumpSqlite(database: Database): Promise<string> {
  const rows = await query<{ sql: string }>(
    database,
    `SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY tbl_name, type DESC, name`,
  )
  return rows.map(({ sql }) => `${sql};\n`).join('\n')
}

interface Column {
  readonly table_name: string
  readonly column_name: string
  readonly data_type: string
  readonly is_nullable: string
  readonly column_default: string | null
}

async function dumpPostgres(database: Database): Promise<string> {
  const columns = await query<Column>(
    database,
    `SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
     WHERE table_schema = 'public' ORDER BY table_name, ordinal_position`,
  )
  const indexes = await query<{ tablename: string; indexdef: string }>(
    database,
    `SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY tablename, indexname`,
  )
  const tables = [...new Set(columns.map((column) => column.table_name))]
  return tables
    .map((table) => {
      const lines = columns.filter((column) => column.table_name === table).map(columnLine)
      const own = indexes.filter((index) => index.tablename === table).map((index) => `${index.indexdef};\n`)
      return `CREATE TABLE ${table} (\n${lines.join(',\n')}\n);\n${own.join('')}`
    })
    .join('\n')
}

function columnLine({ column_name, data_type, is_nullable, column_default }: Column): string {
  const nullable = is_nullable === 'NO' ? ' NOT NULL' : ''
  const fallback = column_default === null ? '' : ` DEFAULT ${column_default}`
  return `  ${column_name} ${data_type}${fallback}${nullable}`
}
