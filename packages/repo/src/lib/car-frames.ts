import { type CarLimits, concatBytes, DataError } from '@imago/data'

/** Lengths in a CAR file are far below what four bytes of varint hold. */
const MAX_LENGTH_BYTES = 4

/** Where the bytes of a frame lie, past its length. */
export interface Frame {
  readonly start: number
  readonly end: number
}

/**
 * Cuts a CAR v1 file into its frames as it arrives, without waiting: chunks go in, and of each come out as many frames
 * as are there as a whole. A frame that lies across chunks is put together once, however many they are.
 */
export class CarFrames {
  readonly #limits: CarLimits
  /** What the frames that come next are cut from. */
  #bytes: Uint8Array = new Uint8Array(0)
  #at = 0
  /** Chunks of a frame that is not there yet, and bytes of it that are missing still. */
  #pieces: Uint8Array[] = []
  #missing = 0
  #received = 0
  #frames = 0

  constructor(limits: CarLimits) {
    this.#limits = limits
  }

  /** What the places in a frame are about, until the next chunk. */
  get bytes(): Uint8Array {
    return this.#bytes
  }

  /** @throws {DataError} LimitExceeded */
  push(chunk: Uint8Array): void {
    this.#received += chunk.length
    if (this.#received > this.#limits.maxBytes)
      throw new DataError(
        'LimitExceeded',
        `CAR file: more than ${this.#limits.maxBytes} bytes, and no more are read`,
      )
    if (this.#at < this.#bytes.length) this.#pieces.push(this.#bytes.subarray(this.#at))
    this.#pieces.push(chunk)
    this.#missing -= chunk.length
    this.#bytes = this.#missing > 0 ? NOTHING : this.#joined()
    this.#at = 0
  }

  /**
   * The next frame, or `undefined` until there is more.
   * @throws {DataError} InvalidCar, LimitExceeded
   */
  next(): Frame | undefined {
    const bytes = this.#bytes
    const start = this.#at
    let length = 0
    for (let i = 0; i < MAX_LENGTH_BYTES; i++) {
      const byte = bytes[start + i]
      if (byte === undefined) return undefined
      length |= (byte & 0x7f) << (7 * i)
      if (byte > 0x7f) continue
      if (byte === 0 && i > 0) throw this.#invalid('a length that is not a minimal varint')
      this.#checkLength(length)
      const from = start + i + 1
      this.#missing = length - (bytes.length - from)
      if (this.#missing > 0) return undefined
      this.#frames++
      this.#at = from + length
      return { start: from, end: this.#at }
    }
    throw this.#invalid('a length of more than four bytes')
  }

  /** @throws {DataError} InvalidCar when the file ends within a frame, or before its header. */
  end(): void {
    if (this.#frames === 0 || this.#pieces.length > 0 || this.#at < this.#bytes.length)
      throw this.#invalid('a frame that is cut off')
  }

  #joined(): Uint8Array {
    const pieces = this.#pieces
    this.#pieces = []
    return pieces.length === 1 ? pieces[0]! : concatBytes(pieces)
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

const NOTHING = new Uint8Array(0)
