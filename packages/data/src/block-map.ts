import { Cid, cidOfDrisl, wordAt } from './cid.ts'
import { frameAt } from './lib/car-format.ts'

/** Bytes, and the CID that names them. */
export interface Block {
  readonly cid: Cid
  readonly bytes: Uint8Array
}

/** Where the pure core reads blocks from. */
export interface BlockSource {
  /** The bytes that `cid` names, or `undefined` when they are not here. Never write to them. */
  get(cid: Cid): Uint8Array | undefined
  /**
   * As `get`, of the CID whose 36 bytes stand in `bytes` at `at`, for sources that can tell without making one: most links
   * of a part of a tree lead to blocks that are not there.
   */
  getLinked?(bytes: Uint8Array, at: number): Uint8Array | undefined
}

const CID_BYTES = 36
const DIGEST_OFFSET = 4
const SMALLEST_TABLE = 32
const EMPTY = 0
const DELETED = -1

/**
 * Blocks by CID, in the order in which they came. An open-addressing hash table over the bytes of the digest, which
 * is a good hash already: no text is made, and nothing is hashed twice. What it is given it keeps without copying.
 *
 * Deleting while iterating is fine; blocks set while iterating may or may not be seen.
 */
export class BlockMap implements BlockSource {
  /**
   * Blocks in order. A number is where the frame of a block lies in `#file`: blocks out of a CAR file stay there until
   * someone asks, or else a million small ones would take half a gigabyte. `undefined` is one that was deleted.
   */
  #entries: (Block | number | undefined)[] = []
  #file: Uint8Array | undefined
  /** Index of an entry plus one, or EMPTY or DELETED; its length is a power of two. */
  #table: number[] = new Array(SMALLEST_TABLE).fill(EMPTY)
  #size = 0
  #byteLength = 0

  constructor(blocks: Iterable<Block> = []) {
    this.addAll(blocks)
  }

  get size(): number {
    return this.#size
  }

  /** Bytes of all blocks together, without their CIDs. */
  get byteLength(): number {
    return this.#byteLength
  }

  get(cid: Cid): Uint8Array | undefined {
    const slot = this.#slotOf(cid)
    return slot < 0 ? undefined : this.#bytesOf(this.#entries[this.#table[slot]! - 1]!)
  }

  getLinked(bytes: Uint8Array, at: number): Uint8Array | undefined {
    const mask = this.#table.length - 1
    const step = stepOf(wordAt(bytes, at + DIGEST_OFFSET + 4))
    for (let slot = wordAt(bytes, at + DIGEST_OFFSET) & mask; ; slot = (slot + step) & mask) {
      const position = this.#table[slot]!
      if (position === EMPTY) return undefined
      if (position === DELETED) continue
      const entry = this.#entries[position - 1]!
      const same =
        typeof entry === 'number'
          ? sameCid(this.#file!, frameAt(this.#file!, entry).start, bytes, at)
          : entry.cid.isAt(bytes, at)
      if (same) return this.#bytesOf(entry)
    }
  }

  has(cid: Cid): boolean {
    return this.#slotOf(cid) >= 0
  }

  /** Trusts that `cid` names `bytes`. Set again, a block keeps its place. */
  set(cid: Cid, bytes: Uint8Array): this {
    this.#put(cid, { cid, bytes }, bytes.length)
    return this
  }

  /**
   * Puts in the block whose frame begins at `offset` in a CAR file, as {@link BlockMap.set} would; trusts the frame, and
   * that it is that of `cid`. Takes a few bytes of memory, whatever the block, as long as all come from the same file.
   */
  setFrame(file: Uint8Array, offset: number, cid?: Cid): this {
    this.#file ??= file
    const { start, end } = frameAt(file, offset)
    const name = cid ?? new Cid(file, start)
    if (this.#file === file) this.#put(name, offset, end - start - CID_BYTES)
    else this.set(name, file.subarray(start + CID_BYTES, end))
    return this
  }

  /** Puts in a DRISL block by its bytes, and gives the CID that names them. */
  add(bytes: Uint8Array): Cid {
    const cid = cidOfDrisl(bytes)
    this.set(cid, bytes)
    return cid
  }

  addAll(blocks: Iterable<Block>): this {
    for (const { cid, bytes } of blocks) this.set(cid, bytes)
    return this
  }

  /** Whether there was such a block. */
  delete(cid: Cid): boolean {
    const slot = this.#slotOf(cid)
    if (slot < 0) return false
    const index = this.#table[slot]! - 1
    this.#byteLength -= this.#lengthOf(this.#entries[index]!)
    this.#entries[index] = undefined
    this.#table[slot] = DELETED
    this.#size--
    return true
  }

  *[Symbol.iterator](): Generator<Block> {
    for (const entry of this.#entries) if (entry !== undefined) yield this.#blockOf(entry)
  }

  #put(cid: Cid, entry: Block | number, byteLength: number): void {
    const slot = this.#slotOf(cid)
    if (slot >= 0) {
      const index = this.#table[slot]! - 1
      this.#byteLength -= this.#lengthOf(this.#entries[index]!)
      this.#entries[index] = entry
    } else {
      // Entries that were deleted count until the table is made anew: their slots are not free before.
      if (this.#entries.length * 2 >= this.#table.length) this.#rebuild()
      this.#insert(cid.w0, cid.w1, this.#entries.push(entry))
      this.#size++
    }
    this.#byteLength += byteLength
  }

  #blockOf(entry: Block | number): Block {
    if (typeof entry !== 'number') return entry
    const { start, end } = frameAt(this.#file!, entry)
    return {
      cid: new Cid(this.#file!, start),
      bytes: this.#file!.subarray(start + CID_BYTES, end),
    }
  }

  #bytesOf(entry: Block | number): Uint8Array {
    if (typeof entry !== 'number') return entry.bytes
    const { start, end } = frameAt(this.#file!, entry)
    return this.#file!.subarray(start + CID_BYTES, end)
  }

  #lengthOf(entry: Block | number): number {
    if (typeof entry !== 'number') return entry.bytes.length
    const { start, end } = frameAt(this.#file!, entry)
    return end - start - CID_BYTES
  }

  /** The slot of the entry that a CID names, or a negative number. */
  #slotOf(cid: Cid): number {
    const mask = this.#table.length - 1
    const step = stepOf(cid.w1)
    for (let slot = cid.w0 & mask; ; slot = (slot + step) & mask) {
      const position = this.#table[slot]!
      if (position === EMPTY) return -1
      if (position === DELETED) continue
      const entry = this.#entries[position - 1]!
      const same =
        typeof entry === 'number'
          ? cid.isAt(this.#file!, frameAt(this.#file!, entry).start)
          : cid.equals(entry.cid)
      if (same) return slot
    }
  }

  /** By the first two words of a digest. */
  #insert(w0: number, w1: number, position: number): void {
    const mask = this.#table.length - 1
    const step = stepOf(w1)
    let slot = w0 & mask
    while (this.#table[slot] !== EMPTY) slot = (slot + step) & mask
    this.#table[slot] = position
  }

  /** Leaves out what was deleted, and gives each entry about four slots. */
  #rebuild(): void {
    this.#entries = this.#entries.filter((entry) => entry !== undefined)
    let length = SMALLEST_TABLE
    while (length < this.#entries.length * 4) length *= 2
    this.#table = new Array(length).fill(EMPTY)
    for (let i = 0; i < this.#entries.length; i++) {
      const entry = this.#entries[i]!
      const cid =
        typeof entry === 'number' ? new Cid(this.#file!, frameAt(this.#file!, entry).start) : entry.cid
      this.#insert(cid.w0, cid.w1, i + 1)
    }
  }
}

/**
 * How far to go from a slot that is taken: another word of the digest, odd so that every slot comes up. Whoever mines
 * blocks to share a first slot would have to make them share this as well before a look-up gets long.
 */
const stepOf = (word: number): number => word | 1

/** Whether the same 36 bytes stand at two places. From the end: nearly all CIDs begin alike. */
function sameCid(a: Uint8Array, atA: number, b: Uint8Array, atB: number): boolean {
  for (let i = CID_BYTES - 1; i >= 0; i--) if (a[atA + i] !== b[atB + i]) return false
  return true
}
