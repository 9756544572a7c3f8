import { closeSync, mkdirSync, openSync } from 'node:fs'

const OWNER_ONLY = { folder: 0o700, file: 0o600 } as const

/**
 * Makes a data directory, if there is none. Signing keys, password hashes and sessions lie in it: nobody else on the
 * machine has to read them. One that is there is as its owner wants it.
 * @throws {Error} when it cannot be made.
 */
export function makeDataDirectory(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: OWNER_ONLY.folder })
  } catch (cause) {
    throw new Error(
      `the data directory ${folder} cannot be made: name another one (PDS_DATA_DIRECTORY), or let this user write there`,
      { cause },
    )
  }
}

/** Makes an empty file for a database, if there is none; SQLite gives the files beside it the same mode. */
export function makeDatabaseFile(path: string): void {
  closeSync(openSync(path, 'a', OWNER_ONLY.file))
}
