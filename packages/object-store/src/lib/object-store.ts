export interface ListedObject {
  readonly key: string
  /** Bytes. */
  readonly size: number
}

export interface StoredObject {
  /** Bytes of the whole object, whatever part of it `body` brings. */
  readonly size: number
  readonly body: AsyncIterable<Uint8Array>
}

/**
 * Bytes by key: a folder, or a bucket. Keys are relative paths of `[A-Za-z0-9._:-]` segments joined by `/`.
 *
 * Duties of an adapter: an object appears whole or not at all, and what a promise resolved with survives a power cut.
 * A failure says which key it was about. Nothing is promised about the order of concurrent writes to one key.
 */
export interface ObjectStore {
  /** Stores the object, in place of one that may be there. Memory stays constant whatever its size. */
  put(key: string, body: AsyncIterable<Uint8Array> | Uint8Array): Promise<{ readonly size: number }>
  /** @param range first and last byte, both inclusive; they must lie within the object. */
  get(
    key: string,
    range?: { readonly first: number; readonly last: number },
  ): Promise<StoredObject | undefined>
  head(key: string): Promise<{ readonly size: number } | undefined>
  /** One object under a second key, without its bytes passing through us. */
  copy(from: string, to: string): Promise<void>
  /** No error when there is no such object. */
  delete(key: string): Promise<void>
  /** Every object whose key begins with `prefix`, in no promised order. */
  list(prefix: string): AsyncIterable<ListedObject>
}
