import type { Block } from './block-map.ts'
import { concatBytes } from './bytes.ts'
import { type CarLimits, carLimits } from './car-limits.ts'
import type { Cid } from './cid.ts'
import {
  CID_BYTES,
  checkFrame,
  invalidCar,
  lengthBytes,
  parseHeader,
  readLength,
  refuseBlockCount,
  refuseByteCount,
} from './lib/car-format.ts'

/**
 * Reads a CAR v1 file as it arrives. Holds one chunk and one block at a time, however long the file is; the hash of
 * each block is checked before it is handed out. Blocks come as they are in the file, duplicates included. Their bytes
 * are views of the chunks, or of a copy where a block lies across chunks.
 *
 * Ends the source when the caller leaves the iteration, and when the file turns out to be invalid. A caller that
 * never iterates has to end the source by `blocks.return()`.
 * @throws {DataError} from the promise while the header is read, from the iteration later: InvalidCar with the offset
 * of the fault; LimitExceeded. Whatever the source throws.
 * @see https://atproto.com/specs/repository#car-file-serialization
 */
export async function streamCar(
  chunks: AsyncIterable<Uint8Array>,
  limits?: Partial<CarLimits>,
): Promise<{ roots: Cid[]; blocks: AsyncGenerator<Block> }> {
  const bounds = carLimits(limits)
  const reader = new FrameReader(chunks[Symbol.asyncIterator](), bounds)
  try {
    const header = await reader.next(bounds.maxHeaderBytes, 'the header')
    if (header === undefined) throw invalidCar(0, 'the header is cut off')
    const roots = parseHeader(header.bytes.subarray(header.start, header.end))
    return { roots, blocks: readBlocks(reader, bounds) }
  } catch (error) {
    await reader.close()
    throw error
  }
}

function readBlocks(reader: FrameReader, bounds: CarLimits): AsyncGenerator<Block> {
  const blocks = iterateBlocks(reader, bounds)
  // A generator that was never started does not run its `finally`.
  const end = blocks.return.bind(blocks)
  blocks.return = async (value) => {
    await reader.close()
    return end(value)
  }
  return blocks
}

async function* iterateBlocks(reader: FrameReader, bounds: CarLimits): AsyncGenerator<Block> {
  try {
    for (let count = 1; ; count++) {
      const frame = await reader.next(bounds.maxBlockBytes + CID_BYTES, 'a block')
      if (frame === undefined) return
      refuseBlockCount(count, bounds)
      const cid = checkFrame(frame.bytes, frame.start, frame.end, frame.fileOffset)
      yield { cid, bytes: frame.bytes.subarray(frame.start + CID_BYTES, frame.end) }
    }
  } finally {
    await reader.close()
  }
}

/** Taken at first for a frame that lies across chunks. */
const FIRST_GATHERED_BYTES = 4096

/** Bytes that hold a whole frame, and where it is in them and began in the file. */
interface Frame {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
  readonly fileOffset: number
}

/** Cuts chunks into frames. */
class FrameReader {
  readonly #chunks: AsyncIterator<Uint8Array>
  readonly #limits: CarLimits
  #chunk: Uint8Array = new Uint8Array()
  #at = 0
  #fileOffset = 0
  #received = 0
  #ended = false

  constructor(chunks: AsyncIterator<Uint8Array>, limits: CarLimits) {
    this.#chunks = chunks
    this.#limits = limits
  }

  /** The next frame, or `undefined` where the file ends as it should: between two frames. */
  async next(max: number, what: string): Promise<Frame | undefined> {
    const fileOffset = this.#fileOffset
    let length = readLength(this.#chunk, this.#at, fileOffset, max, what)
    while (length < 0) {
      const rest = this.#chunk.subarray(this.#at)
      const chunk = await this.#pull()
      if (chunk === undefined) {
        if (rest.length === 0) return undefined
        throw invalidCar(fileOffset, `${what} is cut off`)
      }
      this.#chunk = rest.length === 0 ? chunk : concatBytes([rest, chunk])
      this.#at = 0
      length = readLength(this.#chunk, this.#at, fileOffset, max, what)
    }
    this.#at += lengthBytes(length)
    this.#fileOffset += lengthBytes(length) + length

    const start = this.#at
    const bytes = this.#chunk
    if (length <= bytes.length - start) {
      this.#at = start + length
      return { bytes, start, end: this.#at, fileOffset }
    }
    return { bytes: await this.#gather(length, fileOffset, what), start: 0, end: length, fileOffset }
  }

  /**
   * `length` bytes that lie across chunks, however small those are. Memory grows with what has come: a length alone,
   * which anybody can write, takes none.
   */
  async #gather(length: number, fileOffset: number, what: string): Promise<Uint8Array> {
    let frame = new Uint8Array(Math.min(length, FIRST_GATHERED_BYTES))
    let filled = 0
    for (;;) {
      const part = this.#chunk.subarray(this.#at, this.#at + length - filled)
      if (filled + part.length > frame.length) {
        const larger = new Uint8Array(Math.min(length, Math.max(2 * frame.length, filled + part.length)))
        larger.set(frame.subarray(0, filled))
        frame = larger
      }
      frame.set(part, filled)
      filled += part.length
      this.#at += part.length
      if (filled === length) return frame
      const chunk = await this.#pull()
      if (chunk === undefined) throw invalidCar(fileOffset, `${what} is cut off`)
      this.#chunk = chunk
      this.#at = 0
    }
  }

  async #pull(): Promise<Uint8Array | undefined> {
    const { done, value } = await this.#chunks.next()
    if (done) {
      this.#ended = true
      return undefined
    }
    this.#received += value.length
    refuseByteCount(this.#received, this.#limits)
    // A Buffer would make Buffers of all blocks.
    return new Uint8Array(value.buffer, value.byteOffset, value.length)
  }

  /** Tells the source that no more is wanted. */
  async close(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    await this.#chunks.return?.()
  }
}
