import type { DatabaseSync } from 'node:sqlite'
import { AdoptError } from './adopt-error.ts'

/** What a database that was made from the data of another PDS says of itself. */
export interface AdoptionState {
  /** Folder that it came from. */
  readonly source: string
  readonly state: 'running' | 'done' | 'handed-back'
  /** Milliseconds since the Unix epoch. */
  readonly at: number
  /** The last number of the stream that the other PDS gave; known once it is done. */
  readonly sequence?: number
  /** Whether it took invited people only. */
  readonly inviteRequired?: boolean
}

const NAME = 'adoption'

export function readAdoptionState(sqlite: DatabaseSync): AdoptionState | undefined {
  const row = sqlite.prepare('SELECT value FROM config WHERE name = ?').get(NAME) as
    | { value: string }
    | undefined
  return row && JSON.parse(row.value)
}

export function writeAdoptionState(sqlite: DatabaseSync, state: AdoptionState): void {
  sqlite.prepare('INSERT OR REPLACE INTO config (name, value) VALUES (?, ?)').run(NAME, JSON.stringify(state))
}

/**
 * Keeps a server from starting on half of another's accounts, or on accounts that are served elsewhere again.
 * @throws {AdoptError}
 */
export function assertInService(sqlite: DatabaseSync): void {
  const adoption = readAdoptionState(sqlite)
  if (adoption?.state === 'running')
    throw new AdoptError(
      'Changed',
      `the takeover of ${adoption.source} has not come to its end: run \`imago pds adopt ${adoption.source}\` again`,
    )
  if (adoption?.state === 'handed-back')
    throw new AdoptError(
      'Changed',
      `these accounts were handed back to ${adoption.source} on ${new Date(adoption.at).toISOString()}: run \`imago pds adopt ${adoption.source}\` to take them over anew`,
    )
}
