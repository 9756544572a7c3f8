import type { Database } from '../database/database.ts'
import { jumpSequence, sequenceAfterRestore, sequenceHead } from '../events/sequence.ts'
import { type Finding, RecoveryError, type Repair } from './finding.ts'
import type { Quarantine } from './quarantine.ts'
import type { Statements } from './repo-tables.ts'
import {
  ACCOUNT_TABLES,
  isCorruption,
  isExplained,
  REPO_TABLES,
  reposIn,
  verifyFile,
} from './verify-database.ts'

/** What is left to do where pages are damaged. */
export const RESTORE = 'restore a backup with imago pds restore'

/**
 * Makes indexes again where SQLite finds fault with its file.
 * @throws {RecoveryError} when that does not help: pages are damaged, and with them whatever lay there.
 */
export function* repairFile(
  database: Database,
  dryRun: boolean,
): Generator<Finding | Repair, void, undefined> {
  const found = [...verifyFile(database)]
  if (found.length === 0) return
  if (dryRun) {
    yield* found
    return
  }
  try {
    database.sqlite.exec('REINDEX')
  } catch (error) {
    if (!isCorruption(error) && !/UNIQUE constraint/.test((error as Error).message)) throw error
    throw new RecoveryError(`the database is damaged (${(error as Error).message}): ${RESTORE}`, {
      cause: error,
    })
  }
  const [left] = verifyFile(database)
  if (left !== undefined) throw new RecoveryError(`the database is damaged (${left.message}): ${RESTORE}`)
  yield { type: 'repair', message: 'the indexes of the database were made again' }
}

/** A stream whose head is not known, or below a number that was given, goes on beyond any that can have been given. */
export function* repairSequence(
  database: Database,
  nowMs: number,
  dryRun: boolean,
): Generator<Repair, void, undefined> {
  const { last } = database.sqlite.prepare('SELECT coalesce(max(seq), 0) AS last FROM event').get() as {
    last: number
  }
  const head = sequenceHead(database)
  if (head !== undefined && head >= last) return
  const beyond = sequenceAfterRestore(last, nowMs, nowMs)
  // Without a head the log could not be opened, and nothing else be rehearsed: it is written in any case.
  if (!dryRun || head === undefined) jumpSequence(database, beyond)
  yield { type: 'repair', message: `the stream goes on after ${beyond}` }
}

/** Puts aside rows that belong to nobody. */
export function* repairTables(
  database: Database,
  sql: Statements,
  quarantine: Quarantine,
  dryRun: boolean,
): Generator<Repair, void, undefined> {
  const lists: { table: string; where: string; parameters: (number | string)[] }[] = []
  for (const table of REPO_TABLES)
    for (const repo of reposIn(sql, table))
      if (!isExplained(sql, repo)) lists.push({ table, where: 'repo = ?', parameters: [repo] })
  for (const table of ACCOUNT_TABLES)
    lists.push({ table, where: 'did NOT IN (SELECT did FROM account)', parameters: [] })
  for (const { table, where, parameters } of lists) {
    const count = database.transaction(() => {
      const rows = sql.prepare(`SELECT * FROM ${table} WHERE ${where}`).all(...parameters)
      if (dryRun || rows.length === 0) return rows.length
      quarantine.addRows(table, rows, { reason: 'it belongs to nobody who is here' })
      sql.prepare(`DELETE FROM ${table} WHERE ${where}`).run(...parameters)
      return rows.length
    })
    if (count > 0)
      yield { type: 'repair', message: `${count} rows of ${table}, which belong to nobody, were put aside` }
  }
}
