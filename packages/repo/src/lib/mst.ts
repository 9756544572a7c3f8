import { type Block, BlockMap, type BlockSource, type Cid } from '@imago/data'
import { buildTree } from './build-tree.ts'
import { assertTreeKey } from './key.ts'
import { keyHeight } from './key-height.ts'
import { Link } from './link.ts'
import { insertEntry, removeEntry, replaceEntry } from './tree-edit.ts'
import { EMPTY_NODE, positionOf, Subtree } from './tree-node.ts'
import { TreeWalk } from './tree-walk.ts'

const NO_BLOCKS: BlockSource = { get: () => undefined }

/**
 * A Merkle search tree: the map from paths (`collection/rkey`) to records' CIDs that a commit signs. Immutable: each
 * edit answers with a new tree that shares with this one all it has in common, and costs what is on one path.
 *
 * Blocks are asked for when an operation needs them. One that is absent is legal until then: that operation throws
 * {@link MissingBlockError}, any other works. The source answers for its blocks being what their CIDs say; readers of CAR
 * files have checked it.
 *
 * Keys are two parts of the characters that paths consist of; {@link isRepoPath} asks for more, and is asked wherever
 * records come in.
 * @see https://atproto.com/specs/repository#mst-structure
 */
export class Mst {
  /** Where nodes come from. For the functions of this package. */
  readonly source: BlockSource
  /** The root, for the functions of this package. */
  readonly rootNode: Subtree

  private constructor(source: BlockSource, root: Subtree) {
    this.source = source
    this.rootNode = root
  }

  /** The tree without records. */
  static empty(): Mst {
    return new Mst(NO_BLOCKS, Subtree.of(EMPTY_NODE))
  }

  /** The tree whose root is `root`. Reads nothing yet. */
  static open(source: BlockSource, root: Cid): Mst {
    return new Mst(source, Subtree.stub(Link.of(root)))
  }

  /**
   * The tree of many records at once, in any order: each node is made once.
   * @throws {RepoError} InvalidKey; KeyExists when a key stands twice; LimitExceeded.
   */
  static from(entries: Iterable<readonly [key: string, cid: Cid]>): Mst {
    return new Mst(NO_BLOCKS, buildTree(entries))
  }

  /** The root's CID. Nodes that edits have made are encoded and hashed now, each once. */
  get root(): Cid {
    return this.rootNode.cid
  }

  /**
   * The record at `key`, or `undefined` when there is none.
   * @throws {MissingBlockError} when a node on the way is absent.
   * @throws {RepoError} InvalidMst, LimitExceeded
   */
  get(key: string): Cid | undefined {
    return this.find(key)?.cid
  }

  /** As {@link Mst.get}, for the functions of this package. */
  find(key: string): Link | undefined {
    let node = this.rootNode.node(this.source, undefined)
    while (true) {
      const index = positionOf(node.keys, key)
      if (node.keys[index] === key) return node.values[index]
      const child = node.subtrees[index]
      if (child == null) return undefined
      node = child.node(this.source, node.height - 1)
    }
  }

  /**
   * With one record more.
   * @throws {RepoError} KeyExists, InvalidKey, InvalidMst, LimitExceeded
   * @throws {MissingBlockError} when a node that has to change is absent.
   */
  insert(key: string, cid: Cid): Mst {
    assertTreeKey(key)
    return this.#with(insertEntry(this.source, this.rootNode, key, keyHeight(key), Link.of(cid)))
  }

  /**
   * With another value for one record.
   * @throws {RepoError} KeyAbsent, InvalidMst, LimitExceeded
   * @throws {MissingBlockError} when a node that has to change is absent.
   */
  update(key: string, cid: Cid): Mst {
    return this.#with(replaceEntry(this.source, this.rootNode, key, keyHeight(key), Link.of(cid)))
  }

  /**
   * Without one record.
   * @throws {RepoError} KeyAbsent, InvalidMst, LimitExceeded
   * @throws {MissingBlockError} when a node that has to change is absent.
   */
  delete(key: string): Mst {
    const root = removeEntry(this.source, this.rootNode, key, keyHeight(key))
    return this.#with(root ?? Subtree.of(EMPTY_NODE))
  }

  /**
   * Records in the order of their keys; with `after`, those whose key is greater. Reads as it goes, and no more than it
   * passes.
   * @throws {RepoError} InvalidMst where keys do not ascend across nodes; {@link MissingBlockError}
   */
  *entries(options: { after?: string } = {}): Generator<[key: string, cid: Cid], void, undefined> {
    const walk = new TreeWalk(this.source, this.rootNode)
    if (options.after !== undefined) walk.seek(options.after)
    for (let item = walk.item; item !== undefined; item = walk.item) {
      if ('subtree' in item) {
        walk.enter()
        continue
      }
      yield [item.key, item.value.cid]
      walk.skip()
    }
  }

  /**
   * Every node before its children, children in the order of their keys.
   * @throws {RepoError} InvalidMst, LimitExceeded; {@link MissingBlockError}
   */
  *nodes(): Generator<Block, void, undefined> {
    const waiting: { subtree: Subtree; height: number | undefined }[] = [
      { subtree: this.rootNode, height: undefined },
    ]
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const { subtree } = next
      const node = subtree.peek(this.source, next.height)
      yield { cid: subtree.cid, bytes: subtree.block(this.source) }
      for (const child of node.subtrees.toReversed())
        if (child !== null) waiting.push({ subtree: child, height: node.height - 1 })
    }
  }

  /** Nodes that edits have made and that the source does not have, each before its children. */
  newBlocks(): BlockMap {
    const blocks = new BlockMap()
    const collect = (subtree: Subtree): void => {
      if (subtree.stored) return
      if (this.source.get(subtree.cid) === undefined) blocks.set(subtree.cid, subtree.block(this.source))
      for (const child of subtree.loaded!.subtrees) if (child !== null) collect(child)
    }
    collect(this.rootNode)
    return blocks
  }

  #with(root: Subtree): Mst {
    return new Mst(this.source, root)
  }
}
