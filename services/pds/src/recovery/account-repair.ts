import type { Did } from '@imago/syntax'
import type { FindingCode } from './finding.ts'
import type { RepoRow, Statements } from './repo-tables.ts'

/** One account under repair, inside of one transaction: what each step needs, and whom it tells. */
export interface AccountRepair {
  readonly did: Did
  readonly sql: Statements
  /** As it was found. */
  readonly repo: RepoRow
  readonly now: () => number
  /** Writes rows down in the quarantine; delete them then. */
  quarantine(table: string, rows: readonly object[], reason: string): void
  /** Told of what was mended. */
  mended(message: string, path?: string): void
  /** Told of what could not be. */
  lost(code: FindingCode, message: string, fix: string, path?: string): void
}
