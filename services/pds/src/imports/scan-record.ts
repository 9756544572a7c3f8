import { isUtf8 } from 'node:buffer'
import { Cid, DEFAULT_LIMITS, DRISL_CODEC, RAW_CODEC } from '@imago/data'

/** What a record refers to. */
export interface ScannedRecord {
  /** Of the raw codec, each once. */
  readonly blobs: readonly Cid[]
  /** Of the text, or of the text `uri` in the map, under the key `subject`. */
  readonly subject: string | undefined
}

const [UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG] = [0, 1, 2, 3, 4, 5, 6] as const
const [FALSE, TRUE, NULL] = [0xf4, 0xf5, 0xf6] as const
/** Tag 42, a byte string of 37 bytes, and the first of them; then come 36 of a CID. */
const LINK_HEAD = [0xd8, 0x2a, 0x58, 0x25, 0x00] as const
const CID_BYTES = 36

const itemOf = (text: string) => Uint8Array.of((TEXT << 5) | text.length, ...new TextEncoder().encode(text))
const SUBJECT = itemOf('subject')
const URI = itemOf('uri')
const BLOB = itemOf('blob')
/** Keys of a reference to a blob, in their order. */
const [REF, SIZE, TYPE, MIME_TYPE] = [itemOf('ref'), itemOf('size'), itemOf('$type'), itemOf('mimeType')]

/** Where the scan stands. One for all, since nothing here waits. */
let source: Uint8Array = new Uint8Array(0)
let at = 0
let blobs: number[] = []
let subjectAt = 0

/** Bytes that `decode` of `@imago/data` would refuse as well. */
export class UnreadableRecordError extends Error {}

/**
 * What `decode` and `findBlobRefs` say of a record, without making a value of it: a megabyte of empty arrays would take a
 * hundred, and leave them to the collector. Most records pass in a third of the time.
 * @returns `undefined` for what is no map.
 * @throws {UnreadableRecordError} when it is not canonical DRISL-CBOR, or exceeds the limits of any value.
 */
export function scanRecord(bytes: Uint8Array): ScannedRecord | undefined {
  source = bytes
  at = 0
  blobs = []
  subjectAt = 0
  if (bytes.length > DEFAULT_LIMITS.maxBytes) throw invalid('too long')
  const isMap = bytes[0]! >> 5 === MAP
  item(0)
  if (at !== bytes.length) throw invalid('the value ends')
  source = NOTHING
  return isMap ? { blobs: eachOnce(bytes, blobs), subject: textAt(bytes, subjectAt) } : undefined
}

const NOTHING = new Uint8Array(0)

/** Passes a value. @param depth containers around it. */
function item(depth: number): void {
  const start = at
  if (start >= source.length) throw invalid('the input ends')
  const initial = source[start]!
  switch (initial >> 5) {
    case UNSIGNED:
      argument(UNSIGNED)
      return
    case NEGATIVE:
      if (argument(NEGATIVE) === Number.MAX_SAFE_INTEGER) throw invalid('an integer outside the safe range')
      return
    case BYTES:
      skip(argument(BYTES))
      return
    case TEXT:
      text(argument(TEXT))
      return
    case ARRAY: {
      const length = argument(ARRAY)
      enter(length, depth)
      for (let i = 0; i < length; i++) item(depth + 1)
      return
    }
    case MAP:
      map(depth)
      return
    case TAG:
      link()
      return
    default:
      if (initial !== NULL && initial !== TRUE && initial !== FALSE) throw invalid('a value of no kind')
      at++
  }
}

/** The number in the head of an item, in its shortest form. Of what has a length, as many bytes are there. */
function argument(major: number): number {
  const info = source[at++]! & 0x1f
  let value = info
  if (info >= 24) {
    const size = info > 27 ? 0 : 1 << (info - 24)
    if (size === 0 || at + size > source.length) throw invalid('no length')
    value = 0
    for (let i = 0; i < size; i++) value = value * 0x100 + source[at++]!
    const least = size === 1 ? 24 : 2 ** (4 * size)
    if (value < least || value > Number.MAX_SAFE_INTEGER)
      throw invalid('a number that is not in its shortest form, or too large')
  }
  if (major >= BYTES && value > source.length - at) throw invalid('more than there is')
  return value
}

function skip(length: number): void {
  at += length
}

function text(length: number): void {
  const start = at
  at += length
  for (let i = start; i < at; i++)
    if (source[i]! > 0x7f) {
      if (!isUtf8(source.subarray(i, at))) throw invalid('text that is not UTF-8')
      return
    }
}

function link(): void {
  for (let i = 0; i < LINK_HEAD.length; i++) if (source[at + i] !== LINK_HEAD[i]) throw invalid('no link')
  const cid = at + LINK_HEAD.length
  const codec = source[cid + 1]
  if (
    cid + CID_BYTES > source.length ||
    source[cid] !== 1 ||
    (codec !== DRISL_CODEC && codec !== RAW_CODEC) ||
    source[cid + 2] !== 0x12 ||
    source[cid + 3] !== 0x20
  )
    throw invalid('a link that is no CID')
  at = cid + CID_BYTES
}

function map(depth: number): void {
  const length = argument(MAP)
  enter(length, depth)
  const first = at
  let previous = -1
  for (let i = 0; i < length; i++) {
    const key = at
    if (key >= source.length || source[key]! >> 5 !== TEXT) throw invalid('a key that is no text')
    const keyBytes = argument(TEXT)
    if (keyBytes > DEFAULT_LIMITS.maxKeyBytes) throw invalid('a long key')
    text(keyBytes)
    if (previous >= 0 && !isAfter(key, at - key, previous)) throw invalid('a key out of order')
    previous = key
    if (depth === 0 && isAt(SUBJECT, key)) subject()
    else item(depth + 1)
  }
  if (length === 4) blobRef(first)
}

/** Passes what stands under `subject` of a record, and notes the text in it. */
function subject(): void {
  const start = at
  item(1)
  const end = at
  if (source[start]! >> 5 === TEXT) subjectAt = start
  if (source[start]! >> 5 !== MAP) return
  // Once more through its entries, which were found to be in order.
  at = start
  for (let left = argument(MAP); left > 0; left--) {
    const isUri = isAt(URI, at)
    skip(argument(TEXT))
    if (isUri && source[at]! >> 5 === TEXT) subjectAt = at
    item(2)
  }
  at = end
}

/** Notes the reference to a blob that four entries are, the first of which is at `first`. */
function blobRef(first: number): void {
  const cid = first + REF.length + LINK_HEAD.length
  if (!isAt(REF, first) || source[first + REF.length]! >> 5 !== TAG) return
  const size = cid + CID_BYTES
  const end = at
  if (!isAt(SIZE, size) || source[size + SIZE.length]! >> 5 !== UNSIGNED) return
  at = size + SIZE.length
  argument(UNSIGNED)
  const type = at
  at = end
  if (!isAt(TYPE, type) || !isAt(BLOB, type + TYPE.length)) return
  const mimeType = type + TYPE.length + BLOB.length
  if (!isAt(MIME_TYPE, mimeType)) return
  const initial = source[mimeType + MIME_TYPE.length]!
  if (initial >> 5 === TEXT && initial !== TEXT << 5 && source[cid + 1] === RAW_CODEC) blobs.push(cid)
}

/** Order of keys: shorter first, then bytewise. Heads in their shortest form sort as lengths do. */
function isAfter(key: number, length: number, previous: number): boolean {
  for (let i = 0; i < length; i++) {
    const difference = source[key + i]! - source[previous + i]!
    if (difference !== 0) return difference > 0
  }
  return false
}

function isAt(wanted: Uint8Array, start: number): boolean {
  for (let i = 0; i < wanted.length; i++) if (source[start + i] !== wanted[i]) return false
  return true
}

function enter(length: number, depth: number): void {
  if (depth >= DEFAULT_LIMITS.maxDepth) throw invalid('nested too deep')
  if (length > DEFAULT_LIMITS.maxEntries) throw invalid(`${length} entries in one container`)
}

/** By their order rather than by their text, which would be most of what a record of thousands takes. */
function eachOnce(bytes: Uint8Array, places: readonly number[]): Cid[] {
  const cids = places.map((place) => new Cid(bytes, place))
  if (cids.length < 2) return cids
  return cids.sort(byDigest).filter((cid, i) => i === 0 || !cid.equals(cids[i - 1]!))
}

function byDigest(a: Cid, b: Cid): number {
  return (
    a.w0 - b.w0 ||
    a.w1 - b.w1 ||
    a.w2 - b.w2 ||
    a.w3 - b.w3 ||
    a.w4 - b.w4 ||
    a.w5 - b.w5 ||
    a.w6 - b.w6 ||
    a.w7 - b.w7
  )
}

function textAt(bytes: Uint8Array, place: number): string | undefined {
  if (place === 0) return undefined
  source = bytes
  at = place
  const length = argument(TEXT)
  source = NOTHING
  return utf8.decode(bytes.subarray(at, at + length))
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

const invalid = (fault: string) =>
  new UnreadableRecordError(`not canonical DRISL-CBOR: ${fault} at byte ${at} of ${source.length}`)
