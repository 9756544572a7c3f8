import { type BlockSource, type Cid, cidOfDrisl } from '@imago/data'
import { keyHeight } from './key-height.ts'
import { decodeNode, encodeNode, MAX_NODE_ENTRIES, MAX_TREE_HEIGHT, type NodeBlock } from './node-codec.ts'
import { MissingBlockError, RepoError } from './repo-error.ts'

/**
 * One node: entries in order, and between them (and at both ends) the subtrees of the height below, or `null` where
 * there is none. Never changed: whatever edits a tree builds new nodes along one path and shares all the others.
 */
export interface TreeNode {
  readonly height: number
  readonly keys: readonly string[]
  readonly values: readonly Cid[]
  /** One more than there are keys. */
  readonly subtrees: readonly (Subtree | null)[]
}

/** The node of a tree without records. */
export const EMPTY_NODE: TreeNode = { height: 0, keys: [], values: [], subtrees: [null] }

/**
 * A node, or the CID of one that nobody has looked at: a stub. What is read or worked out is remembered, which changes
 * nothing that can be observed, so that trees share the work along with the nodes.
 */
export class Subtree {
  #cid: Cid | undefined
  #bytes: Uint8Array | undefined
  #node: TreeNode | undefined
  /** Whether the node came out of a source, rather than being built here. */
  readonly stored: boolean

  private constructor(stored: boolean, cid: Cid | undefined, node: TreeNode | undefined) {
    this.stored = stored
    this.#cid = cid
    this.#node = node
  }

  static stub(cid: Cid): Subtree {
    return new Subtree(true, cid, undefined)
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

  get cid(): Cid {
    return (this.#cid ??= cidOfDrisl(this.#encoded()))
  }

  /** Whether the node is at hand without asking a source. */
  get loaded(): TreeNode | undefined {
    return this.#node
  }

  /** @throws {MissingBlockError} when this is a stub. */
  block(source: BlockSource): Uint8Array {
    return this.stored ? (this.#bytes ?? blockOf(source, this.cid)) : this.#encoded()
  }

  /**
   * The node, remembered from now on.
   * @param height where it has to stand; `undefined` for a root, whose keys say it.
   * @throws {MissingBlockError} when this is a stub.
   * @throws {RepoError} InvalidMst or LimitExceeded when the block is no node that may stand there.
   */
  node(source: BlockSource, height: number | undefined): TreeNode {
    return (this.#node ??= this.#read(source, height))
  }

  /** As {@link Subtree.node}, for walks over whole trees: not remembered. */
  peek(source: BlockSource, height: number | undefined): TreeNode {
    return this.#node ?? readNode(blockOf(source, this.cid), this.cid, height)
  }

  /** As {@link Subtree.node}, and `undefined` for a stub. */
  tryNode(source: BlockSource, height: number | undefined): TreeNode | undefined {
    if (this.#node === undefined && source.get(this.cid) === undefined) return undefined
    return this.node(source, height)
  }

  #read(source: BlockSource, height: number | undefined): TreeNode {
    const bytes = blockOf(source, this.cid)
    const node = readNode(bytes, this.cid, height)
    this.#bytes = bytes
    return node
  }

  #encoded(): Uint8Array {
    const { keys, values, subtrees } = this.#node!
    return (this.#bytes ??= encodeNode({
      keys,
      values,
      links: subtrees.map((subtree) => subtree?.cid ?? null),
    }))
  }
}

function blockOf(source: BlockSource, cid: Cid): Uint8Array {
  const bytes = source.get(cid)
  if (bytes === undefined) throw new MissingBlockError(cid, 'MST node')
  return bytes
}

function readNode(bytes: Uint8Array, cid: Cid, expectedHeight: number | undefined): TreeNode {
  let block: NodeBlock
  try {
    block = decodeNode(bytes)
  } catch (cause) {
    if (!(cause instanceof RepoError)) throw cause
    throw new RepoError(cause.code, `block ${cid}: ${cause.message}`, { cause })
  }
  const { keys, values, links } = block
  const isRoot = expectedHeight === undefined
  const height = expectedHeight ?? (keys.length === 0 ? 0 : keyHeight(keys[0]!))
  if (height > MAX_TREE_HEIGHT)
    throw new RepoError('LimitExceeded', `MST node ${cid} at height ${height}: at most ${MAX_TREE_HEIGHT}`)
  if (keys.length === 0) {
    if (isRoot && links[0] !== null)
      throw new RepoError('InvalidMst', `MST root ${cid} holds nothing but a child: the child is the root`)
    if (!isRoot && links[0] === null)
      throw new RepoError('InvalidMst', `MST node ${cid} is empty, and not the root`)
  }
  for (const key of keys)
    if (keyHeight(key) !== height)
      throw new RepoError(
        'InvalidMst',
        `MST node ${cid} at height ${height} holds ${key}, of height ${keyHeight(key)}`,
      )
  const subtrees = links.map((link) => (link === null ? null : Subtree.stub(link)))
  if (height === 0 && subtrees.some((subtree) => subtree !== null))
    throw new RepoError('InvalidMst', `MST node ${cid} at height 0 has a child`)
  return { height, keys, values, subtrees }
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
