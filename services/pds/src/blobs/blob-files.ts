import type { Cid } from '@imago/data'
import type { Did } from '@imago/syntax'

/** The bytes of an upload, safe on disk under a temporary name. */
export interface StagedBlob extends AsyncDisposable {
  readonly cid: Cid
  /** Bytes. */
  readonly size: number
  /** The first bytes (up to {@link SNIFF_BYTES}), from which the type is told. */
  readonly prefix: Uint8Array
  /**
   * Gives the bytes their final name; they survive a power cut when this resolves. Disposing without it removes them.
   */
  keep(): Promise<void>
}

/** How much of the start of a blob {@link StagedBlob.prefix} holds. */
export const SNIFF_BYTES = 64

/**
 * Bytes of blobs, by account and CID. Which of them count is the business of the blob index: bytes without a row are
 * rubbish, a row without bytes is a loss. So bytes become durable before the row, and go after it.
 */
export interface BlobFiles {
  /**
   * Reads a body to its end and hashes it on the way.
   * @throws {BlobTooLargeError} as soon as more than `maxBytes` came.
   */
  stage(did: Did, body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<StagedBlob>
  /** The bytes from `start` up to and including `end`, or `undefined` when there is no such file. */
  read(
    did: Did,
    cid: Cid,
    range?: { start: number; end: number },
  ): Promise<{ size: number; body: ReadableStream<Uint8Array> } | undefined>
  /** Nothing happens when the file is gone already. */
  remove(did: Did, cid: Cid): Promise<void>
  /** Removes every blob of an account. */
  removeAll(did: Did): Promise<void>
}

/** An upload went past its limit. */
export class BlobTooLargeError extends Error {
  readonly maxBytes: number

  constructor(maxBytes: number) {
    super(`the blob is longer than ${maxBytes} bytes`)
    this.name = 'BlobTooLargeError'
    this.maxBytes = maxBytes
  }
}
