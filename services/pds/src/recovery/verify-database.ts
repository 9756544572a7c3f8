import type { Did } from '@imago/syntax'
import type { DatabaseReader } from '../database/database.ts'
import { EVENT_TABLE } from '../events/sequence.ts'
import type { Finding, FindingCode } from './finding.ts'
import type { Statements } from './repo-tables.ts'

/** Tables whose rows belong to a repository by its number; the first column of a key or an index of each. */
export const REPO_TABLES = ['node', 'record', 'record_blob', 'blob', 'backlink'] as const

/** Tables whose rows belong to an account by its DID. */
export const ACCOUNT_TABLES = ['refresh_token', 'app_password', 'email_token', 'preference'] as const

/** Of a file that is damaged: more would say nothing else. */
const MAX_MESSAGES = 20

const finding = (code: FindingCode, message: string, fix: string): Finding => ({
  type: 'finding',
  code,
  level: 'error',
  message,
  fix,
})

/**
 * What SQLite itself finds in its file: pages and indexes.
 * @param quick pages only.
 */
export function* verifyFile(
  database: Pick<DatabaseReader, 'openSnapshot'>,
  quick = false,
): Generator<Finding, void, undefined> {
  using snapshot = database.openSnapshot()
  const check = quick ? 'quick_check' : 'integrity_check'
  for (const row of snapshot.prepare(`PRAGMA ${check}(${MAX_MESSAGES})`).iterate()) {
    const message = (row as Record<string, string>)[check]!
    if (message !== 'ok') yield corrupt(message)
  }
}

export const corrupt = (message: string): Finding =>
  finding(
    'database-corrupt',
    message.trim(),
    'imago pds rebuild makes damaged indexes anew; where pages are damaged, restore a backup',
  )

/** What belongs to no account in particular: rows of repositories that are not there, tokens, the head of the stream. */
export function* verifyTables(sql: Statements): Generator<Finding, void, undefined> {
  for (const table of REPO_TABLES)
    for (const repo of reposIn(sql, table))
      if (!isExplained(sql, repo))
        yield finding(
          'rows-without-repo',
          `rows of ${table} belong to repository number ${repo}, which is not there`,
          'imago pds rebuild',
        )
  for (const table of ACCOUNT_TABLES) {
    const owners = sql.prepare(
      `SELECT did, count(*) AS n FROM ${table} WHERE did NOT IN (SELECT did FROM account) GROUP BY did`,
    )
    for (const row of owners.iterate()) {
      const { did, n } = row as { did: Did; n: number }
      yield {
        ...finding('rows-without-account', `${n} rows of ${table} belong to no account`, 'imago pds rebuild'),
        did,
      }
    }
  }
  yield* verifySequence(sql)
}

function* verifySequence(sql: Statements): Generator<Finding, void, undefined> {
  const state = sql.prepare(`SELECT head, pruned FROM ${EVENT_TABLE}_state`).get() as
    | { head: number; pruned: number }
    | undefined
  const { first, last } = sql
    .prepare(`SELECT min(seq) AS first, max(seq) AS last FROM ${EVENT_TABLE}`)
    .get() as {
    first: number | null
    last: number | null
  }
  if (state === undefined)
    yield finding('sequence-behind', 'the head of the stream is not known', 'imago pds rebuild')
  else if (last !== null && last > state.head)
    yield finding(
      'sequence-behind',
      `event ${last} was given, and the head of the stream is ${state.head}`,
      'imago pds rebuild',
    )
  else if (first !== null && first <= state.pruned)
    yield finding(
      'sequence-behind',
      `event ${first} is there, and those up to ${state.pruned} count as pruned`,
      'nothing has to be done: it goes with the next pruning',
    )
}

/** Whether rows under a number are a repository's, or of an import or adoption that is under way. */
export function isExplained(sql: Statements, repo: number): boolean {
  const known = sql.prepare(
    `SELECT 1 FROM repo WHERE id = ?1 UNION ALL SELECT 1 FROM repo_remnant WHERE id = ?1
      UNION ALL SELECT 1 FROM adoption WHERE repo = ?1 AND state <> 'adopted'`,
  )
  return known.get(repo) !== undefined
}

/** Numbers of the repositories that have rows in a table: jumps from one to the next. */
export function* reposIn(sql: Statements, table: (typeof REPO_TABLES)[number]): Generator<number> {
  for (let after = Number.MIN_SAFE_INTEGER; ; ) {
    const row = sql.prepare(`SELECT repo FROM ${table} WHERE repo > ? ORDER BY repo LIMIT 1`).get(after) as
      | { repo: number }
      | undefined
    if (row === undefined) return
    yield (after = row.repo)
  }
}

/** DIDs that the stream tells of: jumps from one to the next. */
export function* didsInEvents(sql: Statements): Generator<Did> {
  for (let after = ''; ; ) {
    const row = sql.prepare(`SELECT key FROM ${EVENT_TABLE} WHERE key > ? ORDER BY key LIMIT 1`).get(after) as
      | { key: Did }
      | undefined
    if (row === undefined) return
    yield (after = row.key)
  }
}

const [SQLITE_CORRUPT, SQLITE_NOTADB] = [11, 26]

/** Whether SQLite has run into damage. */
export function isCorruption(error: unknown): error is Error {
  const code = (error as { errcode?: number }).errcode
  // Extended codes keep the plain one in their low byte.
  return code !== undefined && ((code & 0xff) === SQLITE_CORRUPT || (code & 0xff) === SQLITE_NOTADB)
}
