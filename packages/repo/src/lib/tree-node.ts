import { type BlockSource, type Cid, cidOfDrisl } from '@imago/data'
import { keyHeight } from './key-height.ts'
import { Link } from './link.ts'
import {
  type DecodedNode,
  decodeNode,
  encodeNode,
  MAX_NODE_ENTRIES,
  MAX_TREE_HEIGHT,
  patchNode,
} from './node-codec.ts'
import { MissingBlockError, RepoError } from './repo-error.ts'

/**
 * One node: entries in order, and between them (and at both ends) the subtrees of the height below, or `null` where
 * there is none. Never changed: whatever edits a tree builds new nodes along one path and shares all the others.
 */
export interface TreeNode {
  readonly height: number
  readonly keys: readonly string[]
  readonly values: readonly Link[]
  /** One more than there are keys. */
  readonly subtrees: readonly (Subtree | null)[]
  /**
   * A node that was read, of the same keys and with subtrees in the same places: then this one's block is its block, with
   * other links in it.
   */
  readonly pattern?: DecodedNode
}

/** The node of a tree without records. */
export const EMPTY_NODE: TreeNode = { height: 0, keys: [], values: [], subtrees: [null] }

/**
 * A node, or the CID of one that nobody has looked at: a stub. What is read or worked out is remembered, which changes
 * nothing that can be observed, so that trees share the work along with the nodes.
 */
export class Subtree {
  #link: Link | undefined
  #bytes: Uint8Array | undefined
  #node: TreeNode | undefined
  /** Whether the node came out of a source, rather than being built here. */
  readonly stored: boolean

  private constructor(stored: boolean, link: Link | undefined, node: TreeNode | undefined) {
    this.stored = stored
    this.#link = link
    this.#node = node
  }

  static stub(link: Link): Subtree {
    return new Subtree(true, link, undefined)
  }

  /** @throws {RepoError} LimitExceeded for a node that other hosts would refuse. */
  static of(node: TreeNode): Subtree {
    if (node.keys.length > MAX_NODE_ENTRIES || node.height > MAX_TREE_HEIGHT)
      throw new RepoError(
        'LimitExceeded',
        `an MST node of ${node.keys.length} entries at height ${node.height}: at most ${MAX_NODE_ENTRIES} and ${MAX_TREE_HEIGHT}`,
      )
    return new Subtree(false, undefined, node)
  }

  get link(): Link {
    return (this.#link ??= Link.of(cidOfDrisl(this.#bytes ?? this.#encode())))
  }

  get cid(): Cid {
    return this.link.cid
  }

  /** Whether the node is at hand without asking a source. */
  get loaded(): TreeNode | undefined {
    return this.#node
  }

  /** @throws {MissingBlockError} when this is a stub. */
  block(source: BlockSource): Uint8Array {
    if (this.#bytes !== undefined) return this.#bytes
    if (this.stored) return blockOf(source, this.link)
    return (this.#bytes = this.#encode().slice())
  }

  /**
   * Works out the blocks of all nodes here that no source has, children first. Asked for one by one, from above, each
   * is encoded twice: once for its CID, and once to be kept.
   */
  build(): void {
    if (this.stored || this.#bytes !== undefined) return
    for (const child of this.#node!.subtrees) child?.build()
    this.#bytes = this.#encode().slice()
  }

  /**
   * The node, remembered from now on.
   * @param height where it has to stand; `undefined` for a root, whose keys say it.
   * @throws {MissingBlockError} when this is a stub.
   * @throws {RepoError} InvalidMst or LimitExceeded when the block is no node that may stand there.
   */
  node(source: BlockSource, height: number | undefined): TreeNode {
    return (this.#node ??= this.#read(blockOf(source, this.link), height))
  }

  /** As {@link Subtree.node}, for walks over whole trees: not remembered. */
  peek(source: BlockSource, height: number | undefined): TreeNode {
    return this.#node ?? readNode(blockOf(source, this.link), this.link, height)
  }

  /** As {@link Subtree.node}, and `undefined` for a stub. */
  tryNode(source: BlockSource, height: number | undefined): TreeNode | undefined {
    if (this.#node !== undefined) return this.#node
    const bytes = this.link.blockIn(source)
    return bytes && (this.#node = this.#read(bytes, height))
  }

  #read(bytes: Uint8Array, height: number | undefined): TreeNode {
    const node = readNode(bytes, this.link, height)
    this.#bytes = bytes
    return node
  }

  /** Bytes that do not last. */
  #encode(): Uint8Array {
    const { keys, values, subtrees, pattern } = this.#node!
    const links: (Link | null)[] = []
    for (let i = 0; i < subtrees.length; i++) links.push(subtrees[i]?.link ?? null)
    const node = { keys, values, links }
    return pattern === undefined ? encodeNode(node) : patchNode(pattern, node)
  }
}

function blockOf(source: BlockSource, link: Link): Uint8Array {
  const bytes = link.blockIn(source)
  if (bytes === undefined) throw new MissingBlockError(link.cid, 'MST node')
  return bytes
}

/**
 * The node in a block, which may stand where it does: its keys are of that height, and only a root may be empty.
 * @param link what the block was asked for by.
 * @param expectedHeight `undefined` for a root, whose keys say it.
 * @throws {RepoError} InvalidMst, LimitExceeded
 */
export function readNode(bytes: Uint8Array, link: Link, expectedHeight: number | undefined): TreeNode {
  let decoded: DecodedNode
  try {
    decoded = decodeNode(bytes)
  } catch (cause) {
    if (!(cause instanceof RepoError)) throw cause
    throw new RepoError(cause.code, `block ${link.cid}: ${cause.message}`, { cause })
  }
  const { keys, values, links } = decoded
  const height = expectedHeight ?? (decoded.height < 0 ? keyHeight(keys[0]!) : decoded.height)
  if (height > MAX_TREE_HEIGHT)
    throw new RepoError(
      'LimitExceeded',
      `MST node ${link.cid} at height ${height}: at most ${MAX_TREE_HEIGHT}`,
    )
  if (keys.length === 0) {
    const isRoot = expectedHeight === undefined
    if (isRoot && links[0] !== null)
      throw new RepoError(
        'InvalidMst',
        `MST root ${link.cid} holds nothing but a child: the child is the root`,
      )
    if (!isRoot && links[0] === null)
      throw new RepoError('InvalidMst', `MST node ${link.cid} is empty, and not the root`)
  } else if (decoded.height !== height) {
    const key = keys.find((each) => keyHeight(each) !== height)!
    throw new RepoError(
      'InvalidMst',
      `MST node ${link.cid} at height ${height} holds ${key}, of height ${keyHeight(key)}`,
    )
  }
  const subtrees: (Subtree | null)[] = []
  for (let i = 0; i < links.length; i++) {
    const child = links[i]!
    if (child !== null && height === 0)
      throw new RepoError('InvalidMst', `MST node ${link.cid} at height 0 has a child`)
    subtrees.push(child && Subtree.stub(child))
  }
  return { height, keys, values, subtrees, pattern: decoded }
}

/** Where `key` is among ascending keys, or would be: the index of the first one that is not less. */
export function positionOf(keys: readonly string[], key: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (keys[middle]! < key) low = middle + 1
    else high = middle
  }
  return low
}

/** Whether a node neither holds entries nor leads to any. */
export const isEmpty = (node: TreeNode) => node.keys.length === 0 && node.subtrees[0] === null
