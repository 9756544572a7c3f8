import type { Directory } from '@imago/identity'
import type { Logger, Metrics } from '@imago/service'
import type { Did, Uri } from '@imago/syntax'
import type { ScryptCost } from './accounts/password.ts'
import type { StreamEvent } from './events/events.ts'
import type { PlcClient } from './identity/plc-client.ts'
import type { RecordSchemas } from './records/prepare-record.ts'
import type { RepoState, RepoStore } from './repos/repo-store.ts'

/** What an operator decides. Made from the environment by `readConfig`, or by hand. */
export interface PdsConfig {
  /** Folder of the database; made if absent. */
  readonly dataDirectory: string
  /** Folder of blobs; made if absent. */
  readonly blobsDirectory: string
  /** Where the world reaches this server, without a slash at the end: `https://pds.example.com`. */
  readonly publicUrl: string
  readonly serviceDid: Did
  /** Domains under which people choose handles, each with its leading dot: `.example.com`. */
  readonly handleDomains: readonly string[]
  readonly jwtSecret: string
  /** Opens admin methods; without one they are closed. */
  readonly adminPassword: string | undefined
  /** K-256, 32 bytes: signs the PLC operations of every account here. */
  readonly plcRotationKey: Uint8Array
  /** `did:key` of the operator, which outranks the rotation key in new accounts. */
  readonly recoveryDidKey: string | undefined
  readonly plcUrl: string
  /** Relays that are asked to read the stream. */
  readonly crawlers: readonly string[]
  readonly inviteRequired: boolean
  readonly blobUploadLimitBytes: number
  /** How long events can be replayed. */
  readonly replayWindowMs: number
  readonly privacyPolicyUrl: Uri | undefined
  readonly termsOfServiceUrl: Uri | undefined
  readonly contactEmail: string | undefined
}

/** What comes from outside: a test passes its own. */
export interface PdsPorts {
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number
  readonly randomBytes: (length: number) => Uint8Array
  readonly logger: Logger
  readonly metrics: Metrics
  /** Goes to the PLC directory and to the crawlers: addresses that the operator chose. */
  readonly fetch: typeof fetch
  /** Identities of others, and of our own accounts as the world sees them. */
  readonly directory: Directory
  /** Default: a client of `plcUrl`. */
  readonly plc?: PlcClient
  /** Schemas of record types beside those of `com.atproto`. */
  readonly recordSchemas?: RecordSchemas
  /** What one password hash costs. Default: {@link DEFAULT_SCRYPT_COST}. */
  readonly scryptCost?: ScryptCost
  /** Default: the checks that relays make. */
  readonly selfCheck?: (event: StreamEvent, before: RepoState) => string | undefined
  /** Stands between the engine and the database, for tests that break it. */
  readonly wrapRepoStore?: (store: RepoStore) => RepoStore
  /** Check what handlers answer against the schemas; for development. Default false. */
  readonly checkOutput?: boolean
}
