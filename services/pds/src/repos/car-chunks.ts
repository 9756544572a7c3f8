import type { Block } from '@imago/data'
import { encodeVarint } from '@imago/data/multibase'

const CHUNK_BYTES = 256 * 1024
const CID_BYTES = 36
const MAX_LENGTH_BYTES = 4

/** Puts entries of a CAR file into chunks as large as a socket likes them: each byte is copied once. */
export class CarChunks {
  #chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  #at = 0
  readonly #full: Uint8Array[] = []

  /** Adds an entry whose CID and block lie side by side. */
  add(source: Buffer, start: number, end: number): void {
    this.#begin(end - start)
    this.#at += source.copy(this.#chunk, this.#at, start, end)
  }

  addBlock({ cid, bytes }: Block): void {
    this.#begin(CID_BYTES + bytes.length)
    cid.writeTo(this.#chunk, this.#at)
    this.#chunk.set(bytes, this.#at + CID_BYTES)
    this.#at += CID_BYTES + bytes.length
  }

  /** A chunk that is full, if there is one. */
  take(): Uint8Array | undefined {
    return this.#full.shift()
  }

  /** What is left at the end. */
  rest(): Uint8Array {
    return this.#chunk.subarray(0, this.#at)
  }

  /** Makes room for an entry, and writes its length. */
  #begin(length: number): void {
    if (this.#at + MAX_LENGTH_BYTES + length > this.#chunk.length) {
      if (this.#at > 0) this.#full.push(this.rest())
      this.#chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, MAX_LENGTH_BYTES + length))
      this.#at = 0
    }
    if (length >= 0x4000) {
      const varint = encodeVarint(length)
      this.#chunk.set(varint, this.#at)
      this.#at += varint.length
      return
    }
    if (length >= 0x80) this.#chunk[this.#at++] = (length & 0x7f) | 0x80
    this.#chunk[this.#at++] = length < 0x80 ? length : length >> 7
  }
}

/** The entries of blocks, in chunks. */
export function* carChunks(blocks: Iterable<Block>): Generator<Uint8Array, void, undefined> {
  const chunks = new CarChunks()
  for (const block of blocks) {
    chunks.addBlock(block)
    const chunk = chunks.take()
    if (chunk !== undefined) yield chunk
  }
  const rest = chunks.rest()
  if (rest.length > 0) yield rest
}
