import type { Cid } from '@imago/data'
import type { Did, Tid } from '@imago/syntax'

/** What is known of an uploaded blob. */
export interface BlobRow {
  readonly cid: Cid
  readonly mimeType: string
  /** Bytes. */
  readonly size: number
  /** No record refers to it (yet, or any more). */
  readonly temporary: boolean
  /** Not served, and not to be uploaded or referred to again: the reason, in the words of who decided it. */
  readonly takedownRef: string | undefined
}

/** A blob, and whose it is. */
export interface BlobName {
  readonly did: Did
  readonly cid: Cid
}

/** What an account has stored: temporary blobs and those that were taken down count as well. */
export interface BlobUsage {
  readonly count: number
  readonly bytes: number
}

/** What an account may store. */
export interface BlobQuota {
  readonly maxCount: number
  readonly maxBytes: number
}

export type AddOutcome =
  | { readonly ok: true; readonly row: BlobRow }
  | { readonly ok: false; readonly reason: 'AccountAbsent' | 'TakenDown' }
  | { readonly ok: false; readonly reason: 'QuotaExceeded'; readonly usage: BlobUsage }

/** A blob that is not here, and a record that refers to it. */
export interface MissingBlob {
  readonly cid: Cid
  readonly path: string
}

interface PageAfter {
  readonly after?: Cid | undefined
  readonly limit: number
}

/** Which blobs an account has. What a promise resolved with is durable; commits make blobs permanent. */
export interface BlobIndex {
  /**
   * Adds an upload. One that is there already keeps its type, which records may name, and if it is temporary its time
   * begins anew. One that records refer to and that was not here is permanent at once, of the type that they say.
   */
  add(
    did: Did,
    blob: { cid: Cid; mimeType: string; size: number; createdAt: number },
    quota: BlobQuota,
  ): Promise<AddOutcome>
  get(did: Did, cid: Cid): Promise<BlobRow | undefined>
  /** Whether the account is here, and has no such blob. Nothing can be said of the blobs of others. */
  isStray(blob: BlobName): Promise<boolean>
  usage(did: Did): Promise<BlobUsage>
  /**
   * Blobs that are served, in order of their CIDs' bytes; with `since`, those referred to after that revision.
   */
  list(did: Did, page: PageAfter & { since?: Tid | undefined }): Promise<readonly Cid[]>
  /** Blobs that records refer to and that are not here, in the same order, each with one such record. */
  listMissing(did: Did, page: PageAfter): Promise<readonly MissingBlob[]>
  /**
   * Takes a blob down, or with `undefined` gives it back. Returns whether there is such a blob.
   */
  setTakedown(did: Did, cid: Cid, ref: string | undefined): Promise<boolean>

  /**
   * Removes temporary blobs that came at `from` or later, and before `before` (ms since the Unix epoch), those that were
   * taken down excepted; their bytes are trash then. Returns how many; as many as `limit`, and there may be more.
   */
  removeExpired(age: { from: number; before: number }, limit: number): Promise<number>
  /** Blobs whose rows are gone and whose bytes may be there still: of one account, or of all. */
  listTrash(limit: number, did?: Did): Promise<readonly BlobName[]>
  /** The bytes are gone, or belong to a blob again. */
  removeTrash(blob: BlobName): Promise<void>
}
