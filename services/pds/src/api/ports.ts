import type { Directory } from '@imago/identity'
import type { FanOut } from '@imago/log'
import type { Did, TidClock, Uri } from '@imago/syntax'
import type { AccountArrival } from '../accounts/account-arrival.ts'
import type { AccountCreation } from '../accounts/account-creation.ts'
import type { AccountStatusReader } from '../accounts/account-status.ts'
import type { AccountStore } from '../accounts/account-store.ts'
import type { Passwords } from '../accounts/password.ts'
import type { ReservedKeys } from '../accounts/reserved-keys.ts'
import type { BlobIndex } from '../blobs/blob-index.ts'
import type { Blobs } from '../blobs/blobs.ts'
import type { PlcClient } from '../identity/plc-client.ts'
import type { Imports } from '../imports/imports.ts'
import type { FindRecordSchema } from '../records/record-schemas.ts'
import type { RepoStore } from '../repos/repo-store.ts'
import type { RepoWriter } from '../repos/repo-writer.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Authentication } from './authentication.ts'
import type { ExportWatch } from './export-watch.ts'

/** What describeServer says, and what follows from it elsewhere. */
export interface ServerFacts {
  readonly did: Did
  /** With a leading dot: `.example.com`. */
  readonly handleDomains: readonly string[]
  readonly publicUrl: string
  readonly blobUploadLimitBytes: number
  readonly privacyPolicyUrl: Uri | undefined
  readonly termsOfServiceUrl: Uri | undefined
  readonly contactEmail: string | undefined
  /** Sign-up is for people with an invite code. This server issues none yet, so that it closes sign-up. */
  readonly inviteRequired: boolean
  /** `did:key` that signs the PLC operations of the accounts here. */
  readonly rotationKey: string
  /** `did:key`s that outrank it: the operator's own. */
  readonly recoveryKeys: readonly string[]
  /** Whether repositories are taken in from elsewhere, and up to which size. */
  readonly acceptsImports: boolean
  readonly maxImportBytes: number
}

/** Everything that handlers can be given. Each names the few that it uses. */
export interface Ports {
  readonly server: ServerFacts
  readonly authentication: Authentication
  readonly accounts: AccountStore
  readonly accountCreation: AccountCreation
  readonly accountArrival: AccountArrival
  readonly reservedKeys: ReservedKeys
  readonly passwords: Passwords
  readonly sessions: Sessions
  readonly repos: RepoStore
  readonly writer: RepoWriter
  readonly findRecordSchema: FindRecordSchema
  readonly blobs: Blobs
  readonly blobIndex: BlobIndex
  readonly imports: Imports
  readonly directory: Directory
  readonly plc: PlcClient
  /** Says how far the account that moves here has come. */
  readonly accountStatus: AccountStatusReader
  readonly stream: FanOut
  /** Ends exports that nobody reads on. */
  readonly exports: ExportWatch
  readonly clock: TidClock
  /** Never the same twice. */
  readonly randomId: () => string
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number
}
