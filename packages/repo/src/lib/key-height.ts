import { sha256 } from '@imago/data/sha256'
import {
  INITIAL_HASH,
  LANE_BYTES,
  LANES,
  openSha256Lanes,
  ROUND_CONSTANTS,
  type Sha256Lanes,
} from './sha256-lanes.ts'

/**
 * The height at which a key stands in the tree: half the leading zero bits of its SHA-256, rounded down, so that a
 * node has four entries on average.
 *
 * Keys that fit one block of SHA-256 (nearly all of them do) are hashed here, off the string: half the time of a call
 * into OpenSSL and no allocation (measured, Node 26). Whole nodes have a faster way: {@link heightsOfKeys}.
 * @see https://atproto.com/specs/repository#mst-structure
 */
export function keyHeight(key: string): number {
  if (key.length > MAX_ONE_BLOCK_BYTES) return longKeyHeight(key)
  for (let i = 0; i < 16; i++) schedule[i] = 0
  for (let i = 0; i < key.length; i++) {
    const code = key.charCodeAt(i)
    if (code > 0x7f) return longKeyHeight(key)
    schedule[i >> 2]! |= code << (24 - 8 * (i & 3))
  }
  schedule[key.length >> 2]! |= 0x80 << (24 - 8 * (key.length & 3))
  schedule[15] = key.length * 8
  const first = firstWordOfDigest()
  // Half of 32 bits is as far as one word tells.
  return first === 0 ? longKeyHeight(key) : Math.clz32(first) >> 1
}

const longKeyHeight = (key: string): number => heightOfDigest(sha256(utf8.encode(key)))

function heightOfDigest(digest: Uint8Array): number {
  let zeroBits = 0
  for (const byte of digest) {
    zeroBits += Math.clz32(byte) - 24
    if (byte !== 0) break
  }
  return zeroBits >> 1
}

const utf8 = new TextEncoder()
/** A block of 64 bytes less the closing bit and the length. */
const MAX_ONE_BLOCK_BYTES = LANE_BYTES - 9

/**
 * The heights of many keys, which stand one after the other in `text`: four at a time where the engine can, which takes
 * a third of the time of one by one.
 * @param text ASCII.
 * @param ends where each key ends, and the next one begins.
 * @param heights takes them, as many as `count`.
 */
export function heightsOfKeys(
  text: Uint8Array,
  ends: ArrayLike<number>,
  count: number,
  heights: { [index: number]: number },
): void {
  lanes ??= openSha256Lanes() ?? 'none'
  let lane = 0
  for (let i = 0; i < count; i++) {
    const start = i === 0 ? 0 : ends[i - 1]!
    const end = ends[i]!
    if (lanes === 'none' || end - start > MAX_ONE_BLOCK_BYTES) {
      heights[i] = heightOfDigest(sha256(text.subarray(start, end)))
      continue
    }
    padInto(lanes.blocks, lane, text, start, end)
    inLane[lane++] = i
    if (lane === LANES) lane = emptyLanes(lanes, lane, text, ends, heights)
  }
  if (lane > 0) emptyLanes(lanes as Sha256Lanes, lane, text, ends, heights)
}

/** Opened when first wanted: it takes some milliseconds. */
let lanes: Sha256Lanes | 'none' | undefined
/** Indices of the keys in the lanes. */
const inLane = new Int32Array(LANES)
const lengthInLane = new Int32Array(LANES)

/** FIPS 180-4 §5.1.1. What the lane held before is known, so that only its end is cleared. */
function padInto(blocks: Uint8Array, lane: number, text: Uint8Array, start: number, end: number): void {
  const at = lane * LANE_BYTES
  const length = end - start
  for (let i = 0; i < length; i++) blocks[at + i] = text[start + i]!
  blocks[at + length] = 0x80
  for (let i = length + 1; i <= lengthInLane[lane]!; i++) blocks[at + i] = 0
  lengthInLane[lane] = length
  blocks[at + LANE_BYTES - 2] = length >> 5
  blocks[at + LANE_BYTES - 1] = (length << 3) & 0xff
}

/** How many lanes are in use afterwards: none. */
function emptyLanes(
  { run, words }: Sha256Lanes,
  used: number,
  text: Uint8Array,
  ends: ArrayLike<number>,
  heights: { [index: number]: number },
): number {
  run()
  for (let lane = 0; lane < used; lane++) {
    const i = inLane[lane]!
    const word = words[lane]!
    heights[i] =
      word !== 0
        ? Math.clz32(word) >> 1
        : heightOfDigest(sha256(text.subarray(i === 0 ? 0 : ends[i - 1]!, ends[i]!)))
  }
  return 0
}

/** Message schedule of the block at hand. Shared, since nothing here waits. */
const schedule = new Int32Array(64)

/** FIPS 180-4 §6.2.2 over the one block in {@link schedule}; of the digest only the first word is wanted. */
function firstWordOfDigest(): number {
  for (let t = 16; t < 64; t++) {
    const w15 = schedule[t - 15]!
    const w2 = schedule[t - 2]!
    const s0 = ((w15 >>> 7) | (w15 << 25)) ^ ((w15 >>> 18) | (w15 << 14)) ^ (w15 >>> 3)
    const s1 = ((w2 >>> 17) | (w2 << 15)) ^ ((w2 >>> 19) | (w2 << 13)) ^ (w2 >>> 10)
    schedule[t] = (schedule[t - 16]! + s0 + schedule[t - 7]! + s1) | 0
  }
  let a = 0x6a09e667
  let b = 0xbb67ae85 | 0
  let c = 0x3c6ef372
  let d = 0xa54ff53a | 0
  let e = 0x510e527f
  let f = 0x9b05688c | 0
  let g = 0x1f83d9ab
  let h = 0x5be0cd19
  for (let t = 0; t < 64; t++) {
    const S1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))
    const t1 = (h + S1 + ((e & f) ^ (~e & g)) + ROUND_CONSTANTS[t]! + schedule[t]!) | 0
    const S0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))
    const t2 = (S0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
    h = g
    g = f
    f = e
    e = (d + t1) | 0
    d = c
    c = b
    b = a
    a = (t1 + t2) | 0
  }
  return (a + INITIAL_HASH[0]!) | 0
}
