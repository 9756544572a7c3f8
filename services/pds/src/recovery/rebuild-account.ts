import type { LogEntry } from '@imago/log'
import type { SqliteLog } from '@imago/log/sqlite'
import type { Did } from '@imago/syntax'
import type { Database } from '../database/database.ts'
import type { AccountRepair } from './account-repair.ts'
import type { BlobFile } from './blob-inventory.ts'
import { openEventBlocks } from './event-blocks.ts'
import type { Finding, Repair } from './finding.ts'
import type { Quarantine } from './quarantine.ts'
import { type InspectedFiles, repairBlobs } from './rebuild-blobs.ts'
import { missingEvents, repairEvents } from './rebuild-events.ts'
import { repairHead } from './rebuild-head.ts'
import { repairRecords } from './rebuild-records.ts'
import { repairReferences } from './rebuild-references.ts'
import { repairStatus } from './rebuild-status.ts'
import { repairNodes, treeOf } from './rebuild-tree.ts'
import { repoOf, type Statements } from './repo-tables.ts'
import { accountOf } from './verify-account.ts'

export interface AccountRebuild {
  readonly items: readonly (Finding | Repair)[]
  /** Files to be taken away now. */
  readonly strays: readonly BlobFile[]
}

/** Thrown to undo a transaction that was a rehearsal. */
class Rehearsed extends Error {}

/**
 * Mends one account in one transaction, from records and files outwards: tree and head, lists of blobs and subjects, rows
 * of blobs, state, and what the stream still has to be told.
 * @param options.dryRun do all of it, and undo it.
 */
export function rebuildAccount(
  ports: {
    database: Database
    statements: Statements
    log: SqliteLog
    quarantine: Quarantine
    now: () => number
  },
  did: Did,
  files: InspectedFiles,
  options: { dryRun: boolean },
): AccountRebuild {
  const { database, statements: sql, log, quarantine, now } = ports
  const items: (Finding | Repair)[] = []
  let strays: readonly BlobFile[] = []
  let entries: readonly LogEntry[] = []
  try {
    database.transaction(() => {
      const repo = repoOf(sql, did)
      const account = accountOf(sql, did)
      if (repo === undefined || account === undefined) return
      const repair: AccountRepair = {
        did,
        sql,
        repo,
        now,
        quarantine(table, rows, reason) {
          if (!options.dryRun) quarantine.addRows(table, rows, { did, reason })
        },
        mended: (message, path) =>
          items.push({ type: 'repair', did, ...(path !== undefined && { path }), message }),
        lost: (code, message, fix, path) =>
          items.push({
            type: 'finding',
            code,
            level: 'error',
            did,
            ...(path !== undefined && { path }),
            message,
            fix,
          }),
      }
      const blocks = openEventBlocks(sql, did)
      const told = repairEvents(repair)
      const { tree, data } = treeOf(repairRecords(repair, blocks))
      const head = repairHead(repair, data, told, blocks)
      if (head !== undefined) repairNodes(repair, tree, head.rev)
      strays = repairBlobs(repair, files, repairReferences(repair))
      const status = repairStatus(repair, account) ?? undefined
      entries = log.appendInTransaction(missingEvents(repair, head, told, status))
      if (options.dryRun) throw new Rehearsed()
    })
  } catch (error) {
    if (!(error instanceof Rehearsed)) throw error
    return { items, strays }
  }
  log.publish(entries)
  return { items, strays }
}
