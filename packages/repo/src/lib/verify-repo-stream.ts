import type { PublicKey } from '@imago/crypto'
import {
  type Block,
  type CarLimits,
  Cid,
  DataError,
  DEFAULT_CAR_LIMITS,
  DRISL_CODEC,
  readCar,
} from '@imago/data'
import { sha256 } from '@imago/data/sha256'
import { type Did, isRecordKey } from '@imago/syntax'
import { CarFrames } from './car-frames.ts'
import type { Commit } from './commit.ts'
import { BLOCK_COST_BYTES, type HeldBlocks, heldInMemory } from './held-blocks.ts'
import { isRepoPath } from './key.ts'
import { Link } from './link.ts'
import { MissingBlockError, RepoError } from './repo-error.ts'
import { readNode, type TreeNode } from './tree-node.ts'
import { checkedCommit, type ExpectedCommit } from './verify-repo.ts'

/** A record of a repository that is being verified: it is in the tree that the commit signs. */
export interface VerifiedRecordBlock {
  readonly path: string
  readonly cid: Cid
  /** Overwritten by the next step of the iteration: copy it to keep it. */
  readonly bytes: Uint8Array
}

export interface VerifyRepoStreamOptions {
  /** Whose repository it has to be. */
  readonly did?: Did
  /** Who has to have signed it. Without a key the signature is not looked at. */
  readonly key?: PublicKey
  readonly limits?: Partial<CarLimits>
  /** Bytes of blocks that may be kept where those that belong before them come later. Default: {@link DEFAULT_MAX_HELD_BYTES}. */
  readonly maxHeldBytes?: number
  /** Where such blocks are kept. Default: in memory. */
  readonly held?: HeldBlocks
  /** Told of each node of the tree, before any record that comes after it. Its bytes are good during the call: copy them. */
  readonly onNode?: (node: Block) => void
}

/** A repository that is being verified. */
export interface RepoStream {
  readonly commit: Commit
  /** CID of the commit. */
  readonly cid: Cid
  /**
   * Records in the order of their paths: as many at a time as each chunk brought, and at the end of the file bounded
   * batches of those that had come early. Every one of them is proven when it comes; that the repository is whole is
   * proven when they end without an exception.
   */
  readonly records: AsyncGenerator<readonly VerifiedRecordBlock[], void, undefined>
}

/** Enough for some 200,000 records in the worst order, and no more than a small server has to spare. */
export const DEFAULT_MAX_HELD_BYTES = 128 * 2 ** 20

/** Blocks that had come early are handed on in batches of about so many bytes, so that they do not fill memory again. */
const MAX_RELEASED_BYTES = 2 ** 17
/** Nearly all nodes are shorter. */
const NODE_BYTES = 4096

/**
 * Checks a whole repository as it arrives: all that {@link verifyRepo} checks, and the hash of every block, needed or
 * not. In streamable order (a node before what it refers to, in the order of keys, as {@link exportRepo} sends them) it
 * holds the nodes of one path and nothing else, however large the repository. In another order blocks are kept from the
 * first one that comes too early, up to `maxHeldBytes` of them, and looked up when all have come.
 *
 * A record that stands at two paths has to come at both in streamable order, where nothing is kept; in any other, once
 * is enough.
 * @param chunks a CAR v1 file. Each is copied when it comes, and not looked at again: its memory may be used for the
 *   next one. Ended when the caller leaves the iteration, and when the file turns out to be invalid;
 *   a caller that never iterates ends it by `records.return()`.
 * @throws {MissingBlockError} when the file ends before the repository does.
 * @throws {RepoError} InvalidBlock, InvalidCommit, InvalidSignature, InvalidMst, InvalidKey; LimitExceeded, also when too
 *   many blocks come early. From the promise until the commit is known, from the iteration later.
 * @throws {DataError} InvalidCar, LimitExceeded
 * @see https://atproto.com/specs/repository#car-file-serialization
 */
export async function verifyRepoStream(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: VerifyRepoStreamOptions = {},
): Promise<RepoStream> {
  const source = iterate(chunks)
  const reader = new RepoReader(options)
  try {
    while (reader.commit === undefined) {
      const { done, value } = await source.next()
      if (done) {
        reader.end()
        break
      }
      reader.push(value)
    }
  } catch (error) {
    await source.return?.()
    throw error
  }
  const records = readRecords(source, reader)
  // A generator that was never started does not run its `finally`.
  const end = records.return.bind(records)
  records.return = async (value) => {
    await source.return?.()
    return end(value)
  }
  return { ...reader.commit!, records }
}

async function* readRecords(
  source: AsyncIterator<Uint8Array> | Iterator<Uint8Array>,
  reader: RepoReader,
): RepoStream['records'] {
  try {
    while (true) {
      const records = reader.takeRecords()
      if (records.length > 0) yield records
      const { done, value } = await source.next()
      if (done) break
      reader.push(value)
    }
    await reader.seal()
    while (reader.release()) yield reader.takeRecords()
    reader.end()
  } finally {
    await source.return?.()
  }
}

const iterate = (chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) =>
  Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]()

/** A node of the path at hand. Even slots: the subtree `slot / 2`. Odd ones: the entry `(slot - 1) / 2`. */
interface Open {
  readonly node: TreeNode
  slot: number
}

const CID_BYTES = 36
const DIGEST_OFFSET = 4
const [CID_VERSION, RAW, SHA256, SHA256_BYTES] = [0x01, 0x55, 0x12, 0x20] as const

/** What is known while blocks come in: which one belongs next, and those that came too early. */
class RepoReader {
  readonly #expected: ExpectedCommit
  readonly #frames: CarFrames
  readonly #maxHeldBytes: number
  readonly #onNode: ((node: Block) => void) | undefined
  readonly #path: Open[] = []
  /** What the nodes of the path lie in, which is used again for the next node of its depth. */
  readonly #nodeBytes: Uint8Array[] = []
  #next: Link | undefined
  #headerRead = false
  readonly #held: HeldBlocks
  /** Once a block had to wait, all that come are kept: the order is another, and one may be needed twice. */
  #isOutOfOrder = false
  #records: VerifiedRecordBlock[] = []
  #previousKey = ''
  /** The part of a path up to its slash that was found to be a collection's name. */
  #collection = '/'
  commit: { commit: Commit; cid: Cid } | undefined

  constructor(options: VerifyRepoStreamOptions) {
    const { did, key, limits, maxHeldBytes = DEFAULT_MAX_HELD_BYTES } = options
    this.#expected = { ...(did !== undefined && { did }), ...(key !== undefined && { key }) }
    this.#frames = new CarFrames({ ...DEFAULT_CAR_LIMITS, ...limits })
    this.#maxHeldBytes = maxHeldBytes
    this.#held = options.held ?? heldInMemory()
    this.#onNode = options.onNode
  }

  push(chunk: Uint8Array): void {
    const frames = this.#frames
    frames.push(chunk)
    for (let frame = frames.next(); frame !== undefined; frame = frames.next()) {
      if (this.#headerRead) this.#block(frames.bytes, frame.start, frame.end)
      else this.#header(frames.bytes.subarray(0, frame.end))
    }
  }

  takeRecords(): readonly VerifiedRecordBlock[] {
    const records = this.#records
    this.#records = []
    return records
  }

  /** @throws {MissingBlockError} when something was still to come. */
  end(): void {
    this.#frames.end()
    if (this.#next !== undefined) throw new MissingBlockError(this.#next.cid, this.#whatIsNext())
  }

  #header(bytes: Uint8Array): void {
    const root = readCar(bytes).roots[0]
    if (root === undefined)
      throw new RepoError('InvalidCommit', 'no root: the first one has to be the commit')
    this.#headerRead = true
    this.#next = Link.of(root)
  }

  #block(bytes: Uint8Array, start: number, end: number): void {
    const block = hashedBlock(bytes, start, end)
    const next = this.#next
    // What follows on the whole repository is no part of it.
    if (next === undefined) return
    const isNext = next.isAt(bytes, start)
    if (!isNext) this.#isOutOfOrder = true
    if (this.#isOutOfOrder) this.#hold(new Cid(bytes, start), block)
    if (isNext) this.#take(next, block)
  }

  #hold(cid: Cid, block: Uint8Array): void {
    this.#held.set(cid, block)
    if (this.#held.byteLength > this.#maxHeldBytes)
      throw new RepoError(
        'LimitExceeded',
        `more than ${this.#maxHeldBytes} bytes of blocks came before ${this.#whatIsNext()} ${this.#next!.cid}: send blocks in streamable order, or allow more of them to be kept`,
      )
  }

  /** To be called when all blocks have come, before {@link RepoReader.release}. */
  async seal(): Promise<void> {
    if (this.#isOutOfOrder && this.#next !== undefined) await this.#held.seal?.()
  }

  /** Takes blocks that were kept and whose turn has come, a batch of them. Returns whether there were any. */
  release(): boolean {
    if (!this.#isOutOfOrder) return false
    this.#held.reuse?.()
    let bytes = 0
    for (; bytes < MAX_RELEASED_BYTES && this.#next !== undefined; bytes += BLOCK_COST_BYTES) {
      const next = this.#next
      const block = this.#held.get(next.cid)
      if (block === undefined) break
      this.#take(next, block)
      bytes += block.length
    }
    return bytes > 0
  }

  /** The block that belongs next: what it leads to comes after it. */
  #take(link: Link, block: Uint8Array): void {
    if (!link.isDrisl)
      throw new RepoError('InvalidBlock', `${link.cid} is the CID of something else than DRISL`)
    const open = this.#path.at(-1)
    if (this.commit === undefined) {
      // Its signature is a view of what it was read from.
      this.commit = { commit: checkedCommit(link.cid, block.slice(), this.#expected), cid: link.cid }
      this.#next = Link.of(this.commit.commit.data)
      return
    }
    if (open !== undefined && isAtRecord(open)) {
      this.#records.push(new ProvenRecord(open.node.keys[open.slot >> 1]!, link.cid, block))
    } else {
      const kept = this.#keptNode(block)
      this.#path.push({ node: readNode(kept, link, open && open.node.height - 1), slot: -1 })
      this.#onNode?.({ cid: link.cid, bytes: kept })
    }
    this.#advance()
  }

  /** A node stays while all below it goes by, and what it came in does not. */
  #keptNode(block: Uint8Array): Uint8Array {
    const depth = this.#path.length
    let memory = this.#nodeBytes[depth]
    if (memory === undefined || memory.length < block.length) {
      memory = new Uint8Array(Math.max(NODE_BYTES, block.length))
      this.#nodeBytes[depth] = memory
    }
    memory.set(block)
    return memory.subarray(0, block.length)
  }

  /** To the block that belongs after the one at hand: over absent subtrees, and out of nodes that are done. */
  #advance(): void {
    for (let open = this.#path.at(-1); open !== undefined; open = this.#path.at(-1)) {
      const { keys, values, subtrees } = open.node
      while (++open.slot <= 2 * keys.length) {
        const index = open.slot >> 1
        if (open.slot % 2 === 1) {
          this.#checkKey(keys[index]!)
          this.#next = values[index]!
          return
        }
        const subtree = subtrees[index]!
        if (subtree !== null) {
          this.#next = subtree.link
          return
        }
      }
      this.#path.pop()
    }
    this.#next = undefined
  }

  #checkKey(key: string): void {
    if (key <= this.#previousKey)
      throw new RepoError('InvalidMst', `${key} comes after ${this.#previousKey}: the tree is not in order`)
    this.#previousKey = key
    if (!key.startsWith(this.#collection) || !isRecordKey(key.slice(this.#collection.length))) {
      if (!isRepoPath(key)) throw new RepoError('InvalidKey', `${key} is no repository path, and in the tree`)
      this.#collection = key.slice(0, key.indexOf('/') + 1)
    }
  }

  #whatIsNext(): string {
    if (this.commit === undefined) return 'commit'
    const open = this.#path.at(-1)
    return open !== undefined && isAtRecord(open) ? `record ${open.node.keys[open.slot >> 1]}` : 'MST node'
  }
}

/**
 * No object literal: V8 notes of each literal whether what it makes lives for long, and puts all of them among the old ones
 * once some batch did, where whatever hangs from them dies as late as they do.
 */
class ProvenRecord implements VerifiedRecordBlock {
  readonly path: string
  readonly cid: Cid
  readonly bytes: Uint8Array

  constructor(path: string, cid: Cid, bytes: Uint8Array) {
    this.path = path
    this.cid = cid
    this.bytes = bytes
  }
}

const isAtRecord = ({ slot }: Open) => slot % 2 === 1

/** The bytes of a block whose frame begins with its CID, which they have to have. */
function hashedBlock(bytes: Uint8Array, start: number, end: number): Uint8Array {
  if (
    end - start < CID_BYTES ||
    bytes[start] !== CID_VERSION ||
    (bytes[start + 1] !== DRISL_CODEC && bytes[start + 1] !== RAW) ||
    bytes[start + 2] !== SHA256 ||
    bytes[start + 3] !== SHA256_BYTES
  )
    throw new DataError(
      'InvalidCar',
      'not a valid CAR file: a frame that does not begin with a CID of atproto',
    )
  const block = bytes.subarray(start + CID_BYTES, end)
  const digest = sha256(block)
  for (let i = 0; i < digest.length; i++)
    if (digest[i] !== bytes[start + DIGEST_OFFSET + i])
      throw new RepoError('InvalidBlock', `block ${new Cid(bytes, start)} is not what its CID says`)
  return block
}
