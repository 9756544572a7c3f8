import type { StatementSync } from 'node:sqlite'

/**
 * How long bytes are kept that the lost server may have taken in after the backup: as long as somebody may find its
 * database, or upload the records again that refer to them.
 */
export const KEPT_AFTER_RESTORE_MS = 30 * 24 * 3_600_000
/** Clocks of stores differ from ours, and an object may bear the time at which its upload began. */
const SLACK_MS = 24 * 3_600_000

/** What a database says of itself that was made of a backup. Milliseconds since the Unix epoch. */
export interface RestoredState {
  readonly backupAt: number
  readonly restoredAt: number
}

/** A restore, and which bytes nobody may clear away because of it. */
export interface Restored extends RestoredState {
  /** Bytes that came at this time or later ... */
  readonly keepFrom: number
  /** ... stay until then, whether a row speaks of them or not. */
  readonly keepUntil: number
}

interface Statements {
  prepare(sql: string): StatementSync
}

const NAME = 'restored'

/** The newest restore; `undefined` when there was none. */
export function readRestored(sql: Statements): Restored | undefined {
  const row = sql.prepare('SELECT value FROM config WHERE name = ?').get(NAME) as
    | { value: string }
    | undefined
  if (row === undefined) return undefined
  const state = JSON.parse(row.value) as RestoredState
  return {
    ...state,
    keepFrom: state.backupAt - SLACK_MS,
    keepUntil: state.restoredAt + KEPT_AFTER_RESTORE_MS,
  }
}

export function writeRestored(sql: Statements, state: RestoredState): void {
  sql.prepare('INSERT OR REPLACE INTO config (name, value) VALUES (?, ?)').run(NAME, JSON.stringify(state))
}
