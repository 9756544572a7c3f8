import { type CarLimits, DataError } from '@imago/data'

/** Lengths in a CAR file are far below what four bytes of varint hold. */
const MAX_LENGTH_BYTES = 4

/** For the part of a frame with which a chunk may end, so that the next one finds room beside it. */
const SPARE_BYTES = 16 * 1024

/** Where the bytes of a frame lie, past its length. */
export interface Frame {
  readonly start: number
  readonly end: number
}

/**
 * Cuts a CAR v1 file into its frames as it arrives, without waiting: chunks go in, and of each come out as many frames
 * as are there as a whole. Chunks are copied into memory that is used again and again: what thousands of them would leave
 * to the collector lies outside of its heap, where it is noticed late.
 */
export class CarFrames {
  readonly #limits: CarLimits
  /** What has come and is not cut off yet lies in it from `#at` to `#end`. */
  #window: Uint8Array = new Uint8Array(0)
  #at = 0
  #end = 0
  #received = 0
  #frames = 0

  constructor(limits: CarLimits) {
    this.#limits = limits
  }

  /** What the places in a frame are about, which is overwritten by the next chunk. */
  get bytes(): Uint8Array {
    return this.#window
  }

  /** @throws {DataError} LimitExceeded */
  push(chunk: Uint8Array): void {
    this.#received += chunk.length
    if (this.#received > this.#limits.maxBytes)
      throw new DataError(
        'LimitExceeded',
        `CAR file: more than ${this.#limits.maxBytes} bytes, and no more are read`,
      )
    const rest = this.#end - this.#at
    const size = rest + chunk.length
    if (size > this.#window.length) {
      const wider = new Uint8Array(Math.max(size + SPARE_BYTES, 2 * rest))
      wider.set(this.#window.subarray(this.#at, this.#end))
      this.#window = wider
    } else this.#window.copyWithin(0, this.#at, this.#end)
    this.#window.set(chunk, rest)
    this.#at = 0
    this.#end = size
  }

  /**
   * The next frame, or `undefined` until there is more.
   * @throws {DataError} InvalidCar, LimitExceeded
   */
  next(): Frame | undefined {
    const start = this.#at
    let length = 0
    for (let i = 0; i < MAX_LENGTH_BYTES; i++) {
      if (start + i >= this.#end) return undefined
      const byte = this.#window[start + i]!
      length |= (byte & 0x7f) << (7 * i)
      if (byte > 0x7f) continue
      if (byte === 0 && i > 0) throw this.#invalid('a length that is not a minimal varint')
      this.#checkLength(length)
      const from = start + i + 1
      if (from + length > this.#end) return undefined
      this.#frames++
      this.#at = from + length
      return { start: from, end: this.#at }
    }
    throw this.#invalid('a length of more than four bytes')
  }

  /** @throws {DataError} InvalidCar when the file ends within a frame, or before its header. */
  end(): void {
    if (this.#frames === 0 || this.#at < this.#end) throw this.#invalid('a frame that is cut off')
  }

  #checkLength(length: number): void {
    const { maxHeaderBytes, maxBlockBytes, maxBlocks } = this.#limits
    const max = this.#frames === 0 ? maxHeaderBytes : maxBlockBytes + 36
    if (length > max)
      throw new DataError(
        'LimitExceeded',
        `CAR file: frame ${this.#frames} has ${length} bytes: at most ${max}`,
      )
    if (this.#frames > maxBlocks)
      throw new DataError('LimitExceeded', `CAR file: more than ${maxBlocks} blocks`)
  }

  #invalid(fault: string): DataError {
    return new DataError('InvalidCar', `not a valid CAR file: frame ${this.#frames} has ${fault}`)
  }
}
