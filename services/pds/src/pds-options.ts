import type { Directory } from '@imago/identity'
import type { S3StoreOptions } from '@imago/object-store-s3'
import type { Logger, Metrics } from '@imago/service'
import type { Did, Uri } from '@imago/syntax'
import type { AccountStore } from './accounts/account-store.ts'
import type { ScryptCost } from './accounts/password.ts'
import type { ExportLimits } from './api/export-watch.ts'
import type { BlobQuota } from './blobs/blob-index.ts'
import type { StreamEvent } from './events/events.ts'
import type { PdsDirectory } from './identity/pds-directory.ts'
import type { PlcClient } from './identity/plc-client.ts'
import type { ImportStore } from './imports/import-store.ts'
import type { LexiconResolver } from './records/lexicon-resolver.ts'
import type { RecordSchemas } from './records/record-schemas.ts'
import type { RepoState, RepoStore } from './repos/repo-store.ts'

/** What an operator decides. Made from the environment by `readConfig`, or by hand. */
export interface PdsConfig {
  /** Folder of the database; made if absent. */
  readonly dataDirectory: string
  /** Folder of blobs; made if absent. Not used with a bucket. */
  readonly blobsDirectory: string
  /** Bucket of blobs. Default: they lie in the folder. */
  readonly blobsBucket?: S3StoreOptions | undefined
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
  /** Default: what the reference PDS did, if this was taken over from one; else false. */
  readonly inviteRequired?: boolean | undefined
  readonly blobUploadLimitBytes: number
  /** What one account may store. Default: as much as there is room. */
  readonly blobQuota?: Partial<BlobQuota> | undefined
  /** Whether repositories are taken in from elsewhere. */
  readonly acceptsImports: boolean
  /** Largest repository that is taken in, in bytes. */
  readonly maxImportBytes: number
  /** How long events can be replayed. */
  readonly replayWindowMs: number
  /**
   * Numbers of the stream up to this one are never given: an old stream jumps over it, too. Default: a new stream begins
   * after the time in milliseconds, and an old one goes on.
   */
  readonly sequenceStart?: number | undefined
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
  /** Identities of others, and of our own accounts as the world sees them. It may leave what it must not forget to us. */
  readonly directory: Directory & Partial<Pick<PdsDirectory, 'rememberIn'>>
  /** Default: a client of `plcUrl`. */
  readonly plc?: PlcClient
  /** Schemas of record types beside those of `com.atproto`. */
  readonly recordSchemas?: RecordSchemas
  /** Finds the schemas of others for callers who insist on validation. Default: only known schemas are. */
  readonly lexicons?: LexiconResolver
  /** What one password hash costs. Default: {@link DEFAULT_SCRYPT_COST}. */
  readonly scryptCost?: ScryptCost
  /** Default: the checks that relays make. */
  readonly selfCheck?: (event: StreamEvent, before: RepoState) => string | undefined
  /** These stand between what works with a store and the database, for tests that break it. */
  readonly wrapRepoStore?: (store: RepoStore) => RepoStore
  readonly wrapAccountStore?: (store: AccountStore) => AccountStore
  readonly wrapImportStore?: (store: ImportStore) => ImportStore
  /** How slowly repositories may be read. Default: {@link DEFAULT_EXPORT_LIMITS}. */
  readonly exportLimits?: ExportLimits
  /** Check what handlers answer against the schemas; for development. Default false. */
  readonly checkOutput?: boolean
}
