import { createHash } from 'node:crypto'
import { type Cid, cidFromDigest, RAW_CODEC, tryParseCid } from '@imago/data'
import type { ByteRange, StagingStore, StoredObject } from '@imago/object-store'
import type { Did } from '@imago/syntax'
import type { BlobName } from './blob-index.ts'

/** The bytes of an upload, taken in by the store under no name yet. */
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
  /** The bytes, or some of them, as they lie there; `undefined` when there are none. */
  read(did: Did, cid: Cid, range?: ByteRange): Promise<StoredObject | undefined>
  /** How many bytes lie there; `undefined` when there are none. */
  sizeOf(did: Did, cid: Cid): Promise<number | undefined>
  /** Nothing happens when they are gone already. */
  remove(did: Did, cid: Cid): Promise<void>
  /** Removes what uploads left that began before `before` and never ended. Returns how many. */
  sweep(before: number): Promise<number>
  /** Blobs whose bytes came before `before`, whether a row speaks of them or not. None where the store tells no times. */
  olderThan(before: number): AsyncIterable<BlobName>
}

/** Where blobs lie in a store. */
export interface BlobLayout {
  /** What every key of a blob begins with. */
  readonly root: string
  /** The folder of an account, without a slash at the end. */
  folderOf(did: Did): string
  /** The account of such a folder; `undefined` for any other. */
  ownerOf(folder: string): Did | undefined
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

/** Blobs as objects. */
export function createBlobFiles(store: StagingStore, { root, folderOf, ownerOf }: BlobLayout): BlobFiles {
  const keyOf = (did: Did, cid: Cid) => `${folderOf(did)}/${cid}`

  function nameOf(key: string): BlobName | undefined {
    const slash = key.lastIndexOf('/')
    const did = slash === -1 ? undefined : ownerOf(key.slice(0, slash))
    const cid = tryParseCid(key.slice(slash + 1))
    return did === undefined || cid?.codec !== RAW_CODEC ? undefined : { did, cid }
  }

  return {
    async stage(did, body, maxBytes): Promise<StagedBlob> {
      const meter = createMeter(maxBytes)
      const staged = await store.stage(meter.read(body))
      const cid = cidFromDigest(RAW_CODEC, meter.digest())
      return {
        cid,
        size: staged.size,
        prefix: meter.prefix(),
        keep: () => staged.keep(keyOf(did, cid)),
        [Symbol.asyncDispose]: () => staged[Symbol.asyncDispose](),
      }
    },
    read: (did, cid, range) => store.get(keyOf(did, cid), range),
    sizeOf: async (did, cid) => (await store.head(keyOf(did, cid)))?.size,
    remove: (did, cid) => store.delete(keyOf(did, cid)),
    sweep: (before) => store.sweep(before),
    async *olderThan(before) {
      for await (const { key, modifiedAt } of store.list(root)) {
        const name = modifiedAt !== undefined && modifiedAt < before ? nameOf(key) : undefined
        if (name !== undefined) yield name
      }
    },
  }
}

/** Hashes and measures a body that passes, and keeps its beginning. */
function createMeter(maxBytes: number) {
  const hash = createHash('sha256')
  const start = new Uint8Array(SNIFF_BYTES)
  let size = 0
  return {
    async *read(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const piece of body) {
        if (size + piece.length > maxBytes) throw new BlobTooLargeError(maxBytes)
        if (size < SNIFF_BYTES) start.set(piece.subarray(0, SNIFF_BYTES - size), size)
        size += piece.length
        hash.update(piece)
        yield piece
      }
    },
    digest: () => hash.digest(),
    prefix: () => start.subarray(0, Math.min(size, SNIFF_BYTES)),
  }
}
