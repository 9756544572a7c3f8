import { type BlockSource, Cid, DRISL_CODEC } from '@imago/data'

const CID_BYTES = 36

/**
 * A CID, or the place in a block where one stands. Trees hold far more links than anyone asks to see, and pass most of
 * them on: the {@link Cid} is made when somebody asks, which takes five times as long as noting the place (measured).
 */
export class Link {
  readonly #block: Uint8Array | undefined
  /** Where in its block it stands; 0 for one that stands in none. */
  readonly at: number
  #cid: Cid | undefined

  private constructor(block: Uint8Array | undefined, at: number, cid: Cid | undefined) {
    this.#block = block
    this.at = at
    this.#cid = cid
  }

  static of(cid: Cid): Link {
    return new Link(undefined, 0, cid)
  }

  /** @param block kept, not copied: it must never change, and its 36 bytes at `at` must be a CID. */
  static at(block: Uint8Array, at: number): Link {
    return new Link(block, at, undefined)
  }

  get cid(): Cid {
    return (this.#cid ??= new Cid(this.#block!, this.at))
  }

  /** The block that it links to, or `undefined` where `source` does not have it. */
  blockIn(source: BlockSource): Uint8Array | undefined {
    return this.#cid === undefined && source.getLinked !== undefined
      ? source.getLinked(this.#block!, this.at)
      : source.get(this.cid)
  }

  /** Whether it links to a DRISL block, as all links of a repository do. */
  get isDrisl(): boolean {
    return this.#block === undefined
      ? this.#cid!.codec === DRISL_CODEC
      : this.#block[this.at + 1] === DRISL_CODEC
  }

  equals(other: Link): boolean {
    if (this === other) return true
    return other.#block === undefined ? this.is(other.#cid!) : this.isAt(other.#block, other.at)
  }

  is(cid: Cid): boolean {
    return this.#block === undefined ? this.#cid!.equals(cid) : cid.isAt(this.#block, this.at)
  }

  /** Whether the same CID stands in `bytes` at `at`. */
  isAt(bytes: Uint8Array, at: number): boolean {
    const block = this.#block
    if (block === undefined) return this.#cid!.isAt(bytes, at)
    // From the end: the first bytes are the same in nearly all CIDs.
    for (let i = CID_BYTES - 1; i >= 0; i--) if (block[this.at + i] !== bytes[at + i]) return false
    return true
  }

  /** Writes the 36 bytes of the CID. */
  writeTo(target: Uint8Array, at: number): void {
    const block = this.#block
    if (block === undefined) {
      this.#cid!.writeTo(target, at)
      return
    }
    for (let i = 0; i < CID_BYTES; i++) target[at + i] = block[this.at + i]!
  }
}
