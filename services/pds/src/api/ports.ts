import type { Directory } from '@imago/identity'
import type { FanOut } from '@imago/log'
import type { Did, TidClock, Uri } from '@imago/syntax'
import type { AccountCreation } from '../accounts/account-creation.ts'
import type { AccountStore } from '../accounts/account-store.ts'
import type { Passwords } from '../accounts/password.ts'
import type { BlobIndex } from '../blobs/blob-index.ts'
import type { Blobs } from '../blobs/blobs.ts'
import type { RecordSchemas } from '../records/prepare-record.ts'
import type { RepoStore } from '../repos/repo-store.ts'
import type { RepoWriter } from '../repos/repo-writer.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Authentication } from './authentication.ts'

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
}

/** Everything that handlers can be given. Each names the few that it uses. */
export interface Ports {
  readonly server: ServerFacts
  readonly authentication: Authentication
  readonly accounts: AccountStore
  readonly accountCreation: AccountCreation
  readonly passwords: Passwords
  readonly sessions: Sessions
  readonly repos: RepoStore
  readonly writer: RepoWriter
  readonly recordSchemas: RecordSchemas
  readonly blobs: Blobs
  readonly blobIndex: BlobIndex
  readonly directory: Directory
  readonly stream: FanOut
  readonly clock: TidClock
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number
}
