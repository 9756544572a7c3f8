import type { DatabaseSync } from 'node:sqlite'
import { AdoptError } from './adopt-error.ts'

/** Migrations of the reference that are understood here, by kind of database, as its table of migrations names them. */
const KNOWN_MIGRATIONS = {
  account: ['001', '002', '003', '004', '005', '006', '007'],
  sequencer: ['001'],
  actor: ['001'],
} as const

/**
 * @throws {AdoptError} UnknownSchema for migrations that are not known here, by name, and for a database that has none.
 */
export function assertKnownSchema(
  sqlite: DatabaseSync,
  kind: keyof typeof KNOWN_MIGRATIONS,
  path: string,
): void {
  if (!hasTable(sqlite, 'kysely_migration'))
    throw new AdoptError(
      'UnknownSchema',
      `${path} has no table of migrations: the reference PDS did not write it`,
    )
  const known: readonly string[] = KNOWN_MIGRATIONS[kind]
  const applied = (
    sqlite.prepare('SELECT name FROM kysely_migration ORDER BY name').all() as { name: string }[]
  ).map(({ name }) => name)
  const unknown = applied.filter((name) => !known.includes(name))
  if (unknown.length > 0)
    throw new AdoptError(
      'UnknownSchema',
      `${path} has migration ${unknown.join(', ')}, and the newest that is known here is ${known.at(-1)}: use a newer Imago, or the version of the reference before that migration`,
    )
  if (!applied.includes(known[0]!))
    throw new AdoptError('UnknownSchema', `${path} has not been set up: start the reference PDS once`)
}

export function hasTable(sqlite: DatabaseSync, name: string): boolean {
  return (
    sqlite.prepare(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?`).get(name) !== undefined
  )
}

export function hasColumn(sqlite: DatabaseSync, table: string, column: string): boolean {
  return sqlite.prepare('SELECT 1 FROM pragma_table_info(?) WHERE name = ?').get(table, column) !== undefined
}
