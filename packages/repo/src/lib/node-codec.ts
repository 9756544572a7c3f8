import { DRISL_CODEC } from '@imago/data'
import { commonPrefixLength, KEY_CHARACTERS, MAX_KEY_LENGTH } from './key.ts'
import { heightsOfKeys } from './key-height.ts'
import { Link } from './link.ts'
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
 * one link more than there are keys.
 */
export interface NodeBlock {
  readonly keys: readonly string[]
  readonly values: readonly Link[]
  readonly links: readonly (Link | null)[]
}

/** A node, and the block that tells it. */
export interface DecodedNode extends NodeBlock {
  readonly bytes: Uint8Array
  /** The height that all keys share: −1 where they do not, and 0 without keys. */
  readonly height: number
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
const SLASH = 0x2f
const CHARACTER_OF = { e: 0x65, k: 0x6b, l: 0x6c, p: 0x70, t: 0x74, v: 0x76 } as const

/** Where reading stands. One for all, since nothing here waits: decoding nodes is most of what verifying costs. */
let source: Uint8Array = new Uint8Array(0)
let at = 0
/** The node's keys, whole, one after the other; and where each ends. */
let text = new Uint8Array(16 * MAX_KEY_LENGTH)
const ends = new Int32Array(MAX_NODE_ENTRIES)
let slashOfPrevious = 0
const heights = new Uint8Array(MAX_NODE_ENTRIES)

/**
 * The node in a block, which has to be in canonical form: keys ascending, every prefix as long as it can be, no byte
 * that could be otherwise. Whether a node may stand where it does is checked elsewhere.
 * @param block kept: links are places in it.
 * @throws {RepoError} InvalidMst, or LimitExceeded for more than {@link MAX_NODE_ENTRIES} entries.
 * @see https://atproto.com/specs/repository#mst-structure
 */
export function decodeNode(block: Uint8Array): DecodedNode {
  const values: Link[] = []
  const links: (Link | null)[] = [null]
  source = block
  at = 0
  expectByte(NODE_MAP, 'a map of two')
  expectKey(CHARACTER_OF.e)
  const count = readHead(ARRAY, 'the array of entries')
  if (count > MAX_NODE_ENTRIES)
    throw new RepoError('LimitExceeded', `an MST node of ${count} entries: at most ${MAX_NODE_ENTRIES}`)
  for (let i = 0; i < count; i++) {
    expectByte(ENTRY_MAP, 'a map of four')
    expectKey(CHARACTER_OF.k)
    const length = readHead(BYTE_STRING, 'a key')
    if (length > MAX_KEY_LENGTH) throw invalid(`a key of ${length} bytes`)
    const start = at
    at += length
    expectKey(CHARACTER_OF.p)
    completeKey(i, readHead(UNSIGNED, 'the length of a prefix'), start, length)
    expectKey(CHARACTER_OF.t)
    links.push(readLinkOrNull())
    expectKey(CHARACTER_OF.v)
    values.push(readLink())
  }
  expectKey(CHARACTER_OF.l)
  links[0] = readLinkOrNull()
  if (at !== block.length) throw invalid(`${block.length - at} bytes after the node`)
  return { bytes: block, height: commonHeight(count), keys: keysInText(count), values, links }
}

/** The height that all keys share; −1 where they do not, and 0 without keys. */
function commonHeight(count: number): number {
  if (count === 0) return 0
  heightsOfKeys(text, ends, count, heights)
  for (let i = 1; i < count; i++) if (heights[i] !== heights[0]) return -1
  return heights[0]!
}

/** Puts key `i` into the text: `prefix` bytes of the key before it, and `length` more that stand at `start`. */
function completeKey(i: number, prefix: number, start: number, length: number): void {
  const to = i === 0 ? 0 : ends[i - 1]!
  const before = i < 2 ? 0 : ends[i - 2]!
  const end = to + prefix + length
  if (prefix > to - before) throw invalid(`a prefix of ${prefix} where the key before has ${to - before}`)
  if (length === 0) throw invalid('a key that adds nothing to the one before it')
  // Where the prefix ends the two keys differ, the new one being greater: that is all of order and of canonical form.
  if (before + prefix < to && text[before + prefix]! >= source[start]!)
    throw invalid(
      `a key that does not follow ${JSON.stringify(ascii.decode(text.subarray(before, to)))}, or shares more with it than it says`,
    )
  if (end - to > MAX_KEY_LENGTH) throw invalid(`a key of ${end - to} bytes`)
  if (end > text.length) {
    const wider = new Uint8Array(Math.max(end, 2 * text.length))
    wider.set(text)
    text = wider
  }
  for (let n = 0; n < prefix; n++) text[to + n] = text[before + n]!
  // The slash of the key before is this one's as well, or was left behind with what they do not share.
  let slash = prefix > slashOfPrevious ? slashOfPrevious : 0
  let slashes = slash > 0 ? 1 : 0
  for (let n = 0; n < length; n++) {
    const byte = source[start + n]
    if (byte === undefined || KEY_CHARACTERS[byte] === 0)
      throw invalid(`byte 0x${byte?.toString(16)} in a key`)
    text[to + prefix + n] = byte
    if (byte === SLASH) {
      slashes++
      slash = prefix + n
    }
  }
  slashOfPrevious = slash
  ends[i] = end
  if (slashes !== 1 || slash === 0 || slash === prefix + length - 1)
    throw invalid(
      `a key that is not collection/rkey: ${JSON.stringify(ascii.decode(text.subarray(to, end)).slice(0, 80))}`,
    )
}

/** All keys are made into one string, of which they are parts: that is several times as fast as one by one. */
function keysInText(count: number): string[] {
  const keys: string[] = []
  if (count === 0) return keys
  const whole = ascii.decode(text.subarray(0, ends[count - 1]))
  for (let i = 0, start = 0; i < count; i++) keys.push(whole.slice(start, (start = ends[i]!)))
  return keys
}

const ascii = new TextDecoder()

function readLinkOrNull(): Link | null {
  if (source[at] !== NULL) return readLink()
  at++
  return null
}

function readLink(): Link {
  for (let i = 0; i < LINK_HEAD.length; i++)
    if (source[at + i] !== LINK_HEAD[i]) throw invalid(`no link at byte ${at}`)
  const start = at + LINK_HEAD.length
  at += LINK_BYTES
  if (at > source.length) throw invalid('a link that ends early')
  if (
    source[start] !== 1 ||
    source[start + 1] !== DRISL_CODEC ||
    source[start + 2] !== 0x12 ||
    source[start + 3] !== 0x20
  )
    throw invalid(`a link to something that is not a DRISL block, at byte ${start}`)
  return Link.at(source, start)
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

/**
 * The block of a node: the inverse of {@link decodeNode}. Keys must be ascending, and valid.
 * @returns bytes that the next call overwrites: most nodes are only hashed, and allocating takes longer than encoding.
 */
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
  reserve(size)
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
  return target.subarray(0, size)
}

/**
 * The block of a node that differs from one that was decoded in values and links alone, none having come or gone.
 * @returns as {@link encodeNode}.
 */
export function patchNode({ bytes, values, links }: DecodedNode, node: NodeBlock): Uint8Array {
  reserve(bytes.length)
  target.set(bytes)
  for (let i = 0; i < links.length; i++)
    if (node.links[i] !== links[i]) node.links[i]!.writeTo(target, links[i]!.at)
  for (let i = 0; i < values.length; i++)
    if (node.values[i] !== values[i]) node.values[i]!.writeTo(target, values[i]!.at)
  return target.subarray(0, bytes.length)
}

/** Where writing stands: the counterpart of {@link source} and {@link at}. */
let target = new Uint8Array(16_384)
let to = 0

function reserve(size: number): void {
  if (size > target.length) target = new Uint8Array(2 * size)
}

const headLength = (argument: number) => (argument < 24 ? 1 : argument < 0x100 ? 2 : 3)
const linkLength = (link: Link | null) => (link === null ? 1 : LINK_BYTES)

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

function writeLink(link: Link | null): void {
  if (link === null) {
    target[to++] = NULL
    return
  }
  for (let i = 0; i < LINK_HEAD.length; i++) target[to++] = LINK_HEAD[i]!
  link.writeTo(target, to)
  to += CID_BYTES
}
