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
}

export interface ExpiredBlob {
  readonly did: Did
  readonly cid: Cid
}

/** Which blobs an account has. What a promise resolved with is durable; commits make blobs permanent. */
export interface BlobIndex {
  /**
   * Adds an upload. One that is there already keeps its type, which records may name, and if it is temporary its time
   * begins anew.
   * @returns what is in the index afterwards; `undefined` when there is no such account.
   */
  add(
    did: Did,
    blob: { cid: Cid; mimeType: string; size: number; createdAt: number },
  ): Promise<BlobRow | undefined>
  get(did: Did, cid: Cid): Promise<BlobRow | undefined>
  /** Blobs that records refer to, in order of their CIDs' bytes; with `since`, those referred to after that revision. */
  list(
    did: Did,
    page: { since?: Tid | undefined; after?: Cid | undefined; limit: number },
  ): Promise<readonly Cid[]>
  /** Temporary blobs that came before `before` (ms since the Unix epoch). */
  listExpired(before: number, limit: number): Promise<readonly ExpiredBlob[]>
  /** Removes a blob if it is still temporary and came before `before`. Returns whether it did. */
  removeExpired(blob: ExpiredBlob, before: number): Promise<boolean>
}
