export interface ListedObject {
  readonly key: string
  /** Bytes. */
  readonly size: number
  /** When it was stored: milliseconds since the Unix epoch, by the clock of the store. Not every store tells. */
  readonly modifiedAt?: number | undefined
}

export interface StoredObject {
  /** Bytes of the whole object, whatever part of it `body` brings. */
  readonly size: number
  /** To be read once, to its end or left early; what it holds open is let go then. */
  readonly body: AsyncIterable<Uint8Array>
}

/** First and last byte, both included. */
export interface ByteRange {
  readonly first: number
  readonly last: number
}

export type ObjectBody = AsyncIterable<Uint8Array> | Uint8Array

/**
 * Bytes by key: a folder, or a bucket. Keys are relative paths, as `assertKey` describes them.
 *
 * Duties of an adapter: an object appears whole or not at all, and what a promise resolved with survives a power cut.
 * A body that fails, or ends early by throwing, leaves the store as it was. A failure is an `ObjectStoreError` that
 * names the key; what a body threw is thrown on as it is. Nothing is promised about the order of concurrent writes to
 * one key, except that one of them wins whole.
 */
export interface ObjectStore {
  /** Stores the object, in place of one that may be there. Memory stays constant whatever its size. */
  put(key: string, body: ObjectBody): Promise<{ readonly size: number }>
  /**
   * Opens an object for reading; `undefined` when there is none. A body that ends early or does not match its checksum
   * fails instead of ending.
   * @throws {ObjectStoreError} InvalidRange when the range does not lie within the object.
   */
  get(key: string, range?: ByteRange): Promise<StoredObject | undefined>
  head(key: string): Promise<{ readonly size: number } | undefined>
  /**
   * One object under a second key, in place of one that may be there, without its bytes passing through us.
   * @throws {ObjectStoreError} NotFound
   */
  copy(from: string, to: string): Promise<void>
  /** No error when there is no such object. */
  delete(key: string): Promise<void>
  /**
   * Every object whose key begins with `prefix` (any text that can begin a key, or nothing), in no promised order. One
   * that is stored or deleted meanwhile may be in it or not.
   */
  list(prefix: string): AsyncIterable<ListedObject>
}

/** Bytes that a store has taken in, and that are no object yet: durable when they are kept. */
export interface StagedObject extends AsyncDisposable {
  /** Bytes. */
  readonly size: number
  /** Makes them an object, in place of one that may be there. Once. Disposing without it removes them. */
  keep(key: string): Promise<void>
}

/** A store that takes bytes before it is known what they will be called, such as those named by their hash. */
export interface StagingStore extends ObjectStore {
  /**
   * Reads a body to its end. Memory stays constant whatever its size. The pieces are given away: their buffers may be
   * detached as soon as the next one is asked for. Whoever needs them again passes copies.
   */
  stage(body: AsyncIterable<Uint8Array>): Promise<StagedObject>
  /**
   * Removes what writes that never ended left behind, if they began before `before` (ms since the Unix epoch, by the
   * clock of the store). Returns how many there were.
   */
  sweep(before: number): Promise<number>
}
