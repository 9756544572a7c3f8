import { existsSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { DATABASE_FILE, openDatabase } from '../database/database.ts'
import { sequenceHead } from '../events/sequence.ts'
import { createAccountWriter } from './account-writer.ts'
import type { AdoptionTarget } from './adopt-account.ts'
import { AdoptError } from './adopt-error.ts'
import type { AdoptionFolders } from './adoption-folders.ts'
import { createAdoptionJournal } from './adoption-journal.ts'
import { readAdoptionState } from './adoption-state.ts'
import { createBoundedWrites } from './bounded-writes.ts'
import type { ReferenceLayout } from './reference-layout.ts'

/** Our own database, while it takes in accounts. */
export interface OpenTarget extends AdoptionTarget, Disposable {
  readonly sqlite: DatabaseSync
}

/**
 * Opens it, or makes it.
 * @param beforeCommit makes durable what the rows are about.
 * @throws {AdoptError} NotEmpty when it holds anything that did not come from there.
 */
export function openTarget(
  { dataDirectory }: AdoptionFolders,
  layout: ReferenceLayout,
  beforeCommit: () => void,
  nowMs: number,
): OpenTarget {
  const path = join(dataDirectory, DATABASE_FILE)
  if (existsSync(path)) setAsideIfHandedBack(path, nowMs)
  const database = openDatabase(path)
  try {
    const { sqlite } = database
    const state = readAdoptionState(sqlite)
    if (state === undefined && sequenceHead(database) !== undefined)
      throw new AdoptError(
        'NotEmpty',
        `${path} is of a server that has accounts and a stream of its own: choose another data directory`,
      )
    if (state !== undefined && state.source !== layout.folder)
      throw new AdoptError(
        'NotEmpty',
        `${path} holds what was taken over from ${state.source}, not from ${layout.folder}: choose another data directory`,
      )
    // Nobody is told that a row is safe before the last of them is: one wait for the disk at the end is enough.
    sqlite.exec('PRAGMA synchronous = NORMAL')
    return {
      sqlite,
      writes: createBoundedWrites(sqlite, beforeCommit),
      writer: createAccountWriter(sqlite),
      journal: createAdoptionJournal(sqlite),
      [Symbol.dispose]: () => database[Symbol.dispose](),
    }
  } catch (error) {
    database[Symbol.dispose]()
    throw error
  }
}

/** A database whose accounts went back is kept, under another name. */
function setAsideIfHandedBack(path: string, nowMs: number): void {
  {
    using database = openDatabase(path)
    if (readAdoptionState(database.sqlite)?.state !== 'handed-back') return
    database.sqlite.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  }
  renameSync(path, `${path}.handed-back-${nowMs}`)
}

/** Everything that was written is on disk before the state says so. */
export function makeDurable(sqlite: DatabaseSync, sayDone: () => void): void {
  sqlite.exec('PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE)')
  sayDone()
}
