import type { DatabaseSync } from 'node:sqlite'

/** What one transaction may hold, in bytes: it lies in the write-ahead log until the next checkpoint. */
const MAX_BYTES = 4 * 1024 * 1024
/** Accounts of one transaction: what a stop in the middle costs. */
const MAX_UNITS = 32

/**
 * Writes many units (accounts) of many rows in transactions of bounded size. Small units share one; a large one is
 * spread over several.
 */
export interface BoundedWrites {
  /** A new unit begins. */
  begin(): void
  /** Runs `work`, which writes about so many bytes. */
  write(bytes: number, work: () => void): void
  /** The unit is whole. */
  end(): void
  /**
   * Takes back what was written since the unit began.
   * @returns false when part of it had been committed, and still has to be removed.
   */
  undo(): boolean
  /** Commits what waits. */
  flush(): void
}

/** @param beforeCommit makes durable what the rows are about. */
export function createBoundedWrites(sqlite: DatabaseSync, beforeCommit: () => void): BoundedWrites {
  let pendingBytes = 0
  let pendingUnits = 0
  let isWhole = true

  function open(): void {
    if (!sqlite.isTransaction) sqlite.exec('BEGIN IMMEDIATE')
  }

  function flush(): void {
    beforeCommit()
    if (sqlite.isTransaction) sqlite.exec('COMMIT')
    pendingBytes = 0
    pendingUnits = 0
    isWhole = false
  }

  return {
    begin() {
      open()
      sqlite.exec('SAVEPOINT unit')
      isWhole = true
    },
    write(bytes, work) {
      open()
      work()
      pendingBytes += bytes
      if (pendingBytes > MAX_BYTES) flush()
    },
    end() {
      pendingUnits++
      if (isWhole) sqlite.exec('RELEASE unit')
      if (pendingUnits >= MAX_UNITS) flush()
    },
    undo() {
      if (isWhole) sqlite.exec('ROLLBACK TO unit; RELEASE unit')
      return isWhole
    },
    flush,
  }
}
