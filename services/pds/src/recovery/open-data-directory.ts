import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DATABASE_FILE, type DatabaseReader, openDatabaseReadOnly } from '../database/database.ts'
import { RecoveryError } from './finding.ts'

/**
 * Opens the database of a data directory for reading.
 * @throws {RecoveryError} when there is none, or it has another schema than this version works with.
 */
export function openDataDirectory(dataDirectory: string): DatabaseReader {
  const path = join(dataDirectory, DATABASE_FILE)
  if (!existsSync(path))
    throw new RecoveryError(`${path} does not exist: give the data directory of a PDS with --data`)
  try {
    return openDatabaseReadOnly(path)
  } catch (error) {
    throw new RecoveryError((error as Error).message, { cause: error })
  }
}
