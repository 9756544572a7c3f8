import type { CarriedTables } from './carry-host-tables.ts'

/** How far it has come. */
export interface AdoptionProgress {
  /** The account that is next; `undefined` after the last one. */
  readonly account: string | undefined
  readonly done: number
  readonly total: number
}

export interface RefusedAccount {
  readonly did: string
  readonly handle: string
  readonly reason: string
}

/** What a takeover came to. */
export interface AdoptionReport {
  readonly source: string
  readonly environmentFile: string | undefined
  readonly dataDirectory: string
  /** Folder of blobs, unless they lie in a bucket. */
  readonly blobsDirectory: string | undefined
  /** Bucket and prefix of blobs. */
  readonly blobsBucket: string | undefined
  readonly dryRun: boolean
  /** All that the reference has. */
  readonly accounts: number
  readonly adopted: number
  /** By an earlier run. */
  readonly already: number
  readonly refused: readonly RefusedAccount[]
  /** Accounts that got a commit more, and why. */
  readonly resigned: readonly { readonly did: string; readonly reason: string }[]
  /** Blobs that records refer to, and whose bytes the reference does not have. */
  readonly lostBlobs: readonly { readonly did: string; readonly cid: string; readonly reason: string }[]
  readonly records: number
  readonly blobs: number
  readonly blobBytes: number
  readonly unfinishedUploads: number
  readonly sessions: number
  readonly recordTakedowns: number
  readonly blobTakedowns: number
  /** Rows that belong to the host, by table. */
  readonly carried: CarriedTables
  /** The last number of the stream; ours go on after it. */
  readonly sequence: number
  /** Events that can be replayed. */
  readonly events: number
  /** Sign-up stays for invited people, unless PDS_INVITE_REQUIRED says otherwise. */
  readonly inviteRequired: boolean
  /** What has to be set beside the environment of the reference, by variable. */
  readonly settings: Readonly<Record<string, string>>
  readonly elapsedMs: number
}

/** Whether everything came over. */
export const isComplete = (report: Pick<AdoptionReport, 'refused' | 'lostBlobs'>): boolean =>
  report.refused.length === 0 && report.lostBlobs.length === 0
