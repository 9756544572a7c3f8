import { Cid, DRISL_CODEC } from '@imago/data'
import { commonPrefixLength, hasTwoParts, KEY_CHARACTERS, MAX_KEY_LENGTH } from './key.ts'
import { RepoError } from './repo-error.ts'

/**
 * Entries of one node, at most. With four on average, wider nodes come about only where somebody looks for keys that
 * share a height: over 10¹² honest keys one beyond 169 is less likely than 10⁻⁹.
 */
export const MAX_NODE_ENTRIES = 256
/** Height of a tree, at most; the same honest keys pass 35 less often than once in 10⁹. */
export const MAX_TREE_HEIGHT = 64

/**
 * A node as its block tells it. Entry `i` lies between the subtrees `links[i]` and `links[i + 1]`, so there is always
 * one link more than there are keys, and two links are never neighbours.
 */
export interface NodeBlock {
  readonly keys: readonly string[]
  readonly values: readonly Cid[]
  readonly links: readonly (Cid | null)[]
}

// Of all DRISL only this much stands in a node:
//   a2  61 65 <array of entries>  61 6c <link or null>
//   entry: a4  61 6b <byte string: the key past its prefix>  61 70 <integer: length of the prefix, in bytes>
//              61 74 <link or null>  61 76 <link>
//   link: d8 2a 58 25 00, then the 36 bytes of a CID
// so a node is read and written as these bytes, without values in between.
const NODE_MAP = 0xa2
const ENTRY_MAP = 0xa4
const NULL = 0xf6
const UNSIGNED = 0
const BYTE_STRING = 2
const ARRAY = 4
const CID_BYTES = 36
const LINK_HEAD = [0xd8, 0x2a, 0x58, 0x25, 0x00] as const
const LINK_BYTES = LINK_HEAD.length + CID_BYTES
const CHARACTER_OF = { e: 0x65, k: 0x6b, l: 0x6c, p: 0x70, t: 0x74, v: 0x76 } as const

/** Where reading stands. One for all, since nothing here waits: decoding nodes is most of what verifying costs. */
let source: Uint8Array = new Uint8Array(0)
let at = 0

/**
 * The node in a block, which has to be in canonical form: keys ascending, every prefix as long as it can be, no byte
 * that could be otherwise. Views into `block` are kept. What needs a key's hash or another node is checked elsewhere.
 * @throws {RepoError} InvalidMst, or LimitExceeded for more than {@link MAX_NODE_ENTRIES} entries.
 * @see https://atproto.com/specs/repository#mst-structure
 */
export function decodeNode(block: Uint8Array): NodeBlock {
  source = block
  at = 0
  expectByte(NODE_MAP, 'a map of two')
  expectKey(CHARACTER_OF.e)
  const count = readHead(ARRAY, 'the array of entries')
  if (count > MAX_NODE_ENTRIES)
    throw new RepoError('LimitExceeded', `an MST node of ${count} entries: at most ${MAX_NODE_ENTRIES}`)
  const keys: string[] = []
  const values: Cid[] = []
  const links: (Cid | null)[] = [null]
  for (let i = 0, key = ''; i < count; i++) {
    expectByte(ENTRY_MAP, 'a map of four')
    expectKey(CHARACTER_OF.k)
    const length = readHead(BYTE_STRING, 'a key')
    if (length > MAX_KEY_LENGTH) throw invalid(`a key of ${length} bytes`)
    const start = at
    at += length
    expectKey(CHARACTER_OF.p)
    key = completeKey(key, readHead(UNSIGNED, 'the length of a prefix'), start, length)
    expectKey(CHARACTER_OF.t)
    const right = readLinkOrNull()
    expectKey(CHARACTER_OF.v)
    keys.push(key)
    values.push(readLink())
    links.push(right)
  }
  expectKey(CHARACTER_OF.l)
  links[0] = readLinkOrNull()
  if (at !== block.length) throw invalid(`${block.length - at} bytes after the node`)
  return { keys, values, links }
}

/** The key whose last `length` bytes stand at `start`, after `prefix` characters of the key before it. */
function completeKey(previous: string, prefix: number, start: number, length: number): string {
  if (prefix > previous.length)
    throw invalid(`a prefix of ${prefix} where the key before has ${previous.length}`)
  if (length === 0) throw invalid('a key that adds nothing to the one before it')
  // Where the prefix ends the two keys differ, the new one being greater: that is all of order and of canonical form.
  if (prefix < previous.length && previous.charCodeAt(prefix) >= source[start]!)
    throw invalid(
      `a key that does not follow ${JSON.stringify(previous)}, or shares more with it than it says`,
    )
  const key = prefix === 0 ? asciiText(start, length) : previous.slice(0, prefix) + asciiText(start, length)
  if (key.length > MAX_KEY_LENGTH || !hasTwoParts(key))
    throw invalid(`a key that is not collection/rkey: ${JSON.stringify(key.slice(0, 80))}`)
  return key
}

function asciiText(start: number, length: number): string {
  const codes: number[] = []
  for (let i = start; i < start + length; i++) {
    const byte = source[i]!
    if (KEY_CHARACTERS[byte] === 0) throw invalid(`byte 0x${byte.toString(16)} in a key`)
    codes.push(byte)
  }
  return String.fromCharCode.apply(null, codes)
}

function readLinkOrNull(): Cid | null {
  if (source[at] !== NULL) return readLink()
  at++
  return null
}

function readLink(): Cid {
  for (let i = 0; i < LINK_HEAD.length; i++)
    if (source[at + i] !== LINK_HEAD[i]) throw invalid(`no link at byte ${at}`)
  at += LINK_BYTES
  if (at > source.length) throw invalid('a link that ends early')
  const bytes = source.subarray(at - CID_BYTES, at)
  if (bytes[0] !== 1 || bytes[1] !== DRISL_CODEC || bytes[2] !== 0x12 || bytes[3] !== 0x20)
    throw invalid(`a link to something that is not a DRISL block, at byte ${at - CID_BYTES}`)
  return new Cid(bytes)
}

/** The argument of the item at hand: a length or an integer below 2¹⁶, in its shortest form. */
function readHead(major: number, what: string): number {
  const head = source[at++]
  if (head === undefined || head >> 5 !== major)
    throw invalid(`no ${what.replace(/^(an?|the) /, '')} at byte ${at - 1}`)
  const short = head & 0x1f
  if (short < 24) return short
  if (short === 24) {
    const value = source[at++]
    if (value !== undefined && value >= 24) return value
  } else if (short === 25) {
    const value = (source[at]! << 8) | source[at + 1]!
    at += 2
    if (at <= source.length && value > 0xff) return value
  }
  throw invalid(`${what} is not a length in its shortest form`)
}

function expectByte(byte: number, what: string): void {
  if (source[at++] !== byte) throw invalid(`expected ${what} at byte ${at - 1}`)
}

/** A map's key of one character. */
function expectKey(character: number): void {
  if (source[at] !== 0x61 || source[at + 1] !== character)
    throw invalid(`expected the key "${String.fromCharCode(character)}" at byte ${at}`)
  at += 2
}

function invalid(message: string): RepoError {
  return new RepoError('InvalidMst', `not an MST node: ${message}`)
}

/** The block of a node: the inverse of {@link decodeNode}. Keys must be ascending, and valid. */
export function encodeNode(node: NodeBlock): Uint8Array {
  const { keys, values, links } = node
  const prefixes: number[] = []
  let size = 1 + 2 + headLength(keys.length) + 2 + linkLength(links[0]!)
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!
    const prefix = i === 0 ? 0 : commonPrefixLength(keys[i - 1]!, key)
    prefixes.push(prefix)
    const rest = key.length - prefix
    size += 1 + 4 * 2 + headLength(rest) + rest + headLength(prefix) + linkLength(links[i + 1]!) + LINK_BYTES
  }
  target = new Uint8Array(size)
  to = 0
  target[to++] = NODE_MAP
  writeKey(CHARACTER_OF.e)
  writeHead(ARRAY, keys.length)
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!
    const prefix = prefixes[i]!
    target[to++] = ENTRY_MAP
    writeKey(CHARACTER_OF.k)
    writeHead(BYTE_STRING, key.length - prefix)
    for (let c = prefix; c < key.length; c++) target[to++] = key.charCodeAt(c)
    writeKey(CHARACTER_OF.p)
    writeHead(UNSIGNED, prefix)
    writeKey(CHARACTER_OF.t)
    writeLink(links[i + 1]!)
    writeKey(CHARACTER_OF.v)
    writeLink(values[i]!)
  }
  writeKey(CHARACTER_OF.l)
  writeLink(links[0]!)
  return target
}

/** Where writing stands: the counterpart of {@link source} and {@link at}. */
let target: Uint8Array = new Uint8Array(0)
let to = 0

const headLength = (argument: number) => (argument < 24 ? 1 : argument < 0x100 ? 2 : 3)
const linkLength = (link: Cid | null) => (link === null ? 1 : LINK_BYTES)

function writeHead(major: number, argument: number): void {
  if (argument < 24) target[to++] = (major << 5) | argument
  else if (argument < 0x100) {
    target[to++] = (major << 5) | 24
    target[to++] = argument
  } else {
    target[to++] = (major << 5) | 25
    target[to++] = argument >> 8
    target[to++] = argument & 0xff
  }
}

function writeKey(character: number): void {
  target[to++] = 0x61
  target[to++] = character
}

function writeLink(link: Cid | null): void {
  if (link === null) {
    target[to++] = NULL
    return
  }
  for (const byte of LINK_HEAD) target[to++] = byte
  target.set(link.bytes, to)
  to += CID_BYTES
}
