import type { AccountOutcome } from './adopt-account.ts'
import type { RefusedAccount } from './adoption-report.ts'

/** What a run has come to so far: the part of the report that grows with each account. */
export interface Tally {
  adopted: number
  already: number
  refused: RefusedAccount[]
  resigned: { did: string; reason: string }[]
  lostBlobs: { did: string; cid: string; reason: string }[]
  records: number
  blobs: number
  blobBytes: number
  unfinishedUploads: number
  sessions: number
  recordTakedowns: number
  blobTakedowns: number
}

export const createTally = (): Tally => ({
  adopted: 0,
  already: 0,
  refused: [],
  resigned: [],
  lostBlobs: [],
  records: 0,
  blobs: 0,
  blobBytes: 0,
  unfinishedUploads: 0,
  sessions: 0,
  recordTakedowns: 0,
  blobTakedowns: 0,
})

/** Counts an account that came over. */
export function countAccount(tally: Tally, did: string, outcome: AccountOutcome): void {
  const { blobs } = outcome
  tally.adopted++
  tally.records += outcome.records
  tally.blobs += blobs.carried
  tally.blobBytes += blobs.bytes
  tally.blobTakedowns += blobs.takenDown
  tally.unfinishedUploads += blobs.unfinished
  tally.sessions += outcome.sessions
  tally.recordTakedowns += outcome.recordTakedowns
  tally.lostBlobs.push(...blobs.lost.map((lost) => ({ did, ...lost })))
  if (outcome.resigned !== undefined) tally.resigned.push({ did, reason: outcome.resigned })
}
