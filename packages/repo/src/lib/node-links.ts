import { RepoError } from './repo-error.ts'

const LINK_HEAD_BYTES = 5
const LINK_BYTES = LINK_HEAD_BYTES + 36
const NULL = 0xf6
/** `a2 61 65`: a map of two, and its key `e`. */
const NODE_HEAD_BYTES = 3
/** A map's key of one character. */
const KEY_BYTES = 2
const WITH_ONE_BYTE = 24
const WITH_TWO_BYTES = 25

/**
 * Where the links of a node stand in its block, in pre-order: the number of a byte where the CID of a record begins, and
 * `~` of it where that of a subtree does. For blocks of a store that is trusted, to pass them on: neither keys nor their
 * order are looked at, which is most of the work of reading a node.
 * @throws {RepoError} InvalidMst when the block is too short to be what it says.
 */
export function nodeLinks(block: Uint8Array): number[] {
  const links: number[] = []
  let at = NODE_HEAD_BYTES
  /** The argument of an item: an integer, or a length. */
  const argument = (): number => {
    const short = block[at++]! & 0x1f
    if (short < WITH_ONE_BYTE) return short
    if (short === WITH_ONE_BYTE) return block[at++]!
    if (short === WITH_TWO_BYTES) return (block[at++]! << 8) | block[at++]!
    throw invalid()
  }
  const subtree = () => {
    if (block[at] === NULL) {
      at++
      return
    }
    links.push(~(at + LINK_HEAD_BYTES))
    at += LINK_BYTES
  }
  // The subtree before the first entry is told last, and comes first.
  links.push(0)
  const count = argument()
  for (let i = 0; i < count; i++) {
    if (at >= block.length) throw invalid()
    at += 1 + KEY_BYTES
    const keyBytes = argument()
    at += keyBytes + KEY_BYTES
    argument()
    at += KEY_BYTES
    const place = links.length
    links.push(0)
    subtree()
    at += KEY_BYTES
    links[place] = at + LINK_HEAD_BYTES
    at += LINK_BYTES
  }
  at += KEY_BYTES
  const before = links.length
  subtree()
  if (at !== block.length) throw invalid()
  if (links.length > before) links[0] = links.pop()!
  else links.shift()
  return links
}

const invalid = () => new RepoError('InvalidMst', 'not an MST node: its block does not end where it says')
