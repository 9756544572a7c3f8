import type { Cid } from '@imago/data'
import type { Did } from '@imago/syntax'

/** Where the reference keeps the bytes of a blob. */
export type ReferencePlace =
  /** A record has referred to it. */
  | { readonly kind: 'served'; readonly did: Did; readonly cid: Cid }
  /** It was taken down. */
  | { readonly kind: 'quarantined'; readonly did: Did; readonly cid: Cid }
  /** An upload that nothing refers to yet, under a name that its row knows. */
  | { readonly kind: 'temporary'; readonly did: Did; readonly key: string }

/** What the bytes should be. */
export interface WantedBlob {
  readonly cid: Cid
  readonly size: number
}

/** Why bytes cannot be carried, in words; `undefined` when they can. */
export type BlobFault = string | undefined

/** The way of bytes between the reference's blobs and ours. What was taken is read to its end, and compared with its CID. */
export interface BlobCarrier extends AsyncDisposable {
  check(place: ReferencePlace, wanted: WantedBlob): Promise<BlobFault>
  /** Makes them ours as well. They are safe once {@link BlobCarrier.sync} has returned; again, it finds them there. */
  take(place: ReferencePlace, wanted: WantedBlob): Promise<BlobFault>
  /** Waits until all that was taken is on disk. */
  sync(): void
  /** Puts ours where the reference looks for them; durable when it resolves. */
  give(cid: Cid, place: ReferencePlace): Promise<void>
  /** Removes what the reference has. */
  remove(place: ReferencePlace): Promise<void>
  /** Removes all that the reference has of an account. */
  removeAll(did: Did): Promise<void>
}
