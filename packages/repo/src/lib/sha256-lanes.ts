// SHA-256 of four short messages at once, in WebAssembly's 128-bit lanes: one instruction does the step of four. The
// module is assembled here, out of the standard's own formulas, rather than kept as bytes that nobody can read.

/** Messages hashed at once. */
export const LANES = 4
/** Of a message's block: a message takes at most this less nine bytes (the closing bit and the length). */
export const LANE_BYTES = 64

/** Four blocks of 64 bytes to hash, padded, and the first word of each digest. */
export interface Sha256Lanes {
  /** The padded blocks: lane `n` begins at byte `64 n`. */
  readonly blocks: Uint8Array
  /** Hashes the four blocks. */
  readonly run: () => void
  /** The first 32 bits of the four digests, after {@link Sha256Lanes.run}. */
  readonly words: Int32Array
}

/** FIPS 180-4 §4.2.2: the first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
export const ROUND_CONSTANTS = new Int32Array([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
  0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
  0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
  0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
  0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
  0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
  0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
  0xc67178f2,
])

/** FIPS 180-4 §5.3.3: the same of the square roots of the first eight. */
export const INITIAL_HASH = new Int32Array([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
])

// Memory: the four blocks, then the four words that come out, then the round constants.
const WORDS_AT = LANES * LANE_BYTES
const CONSTANTS_AT = WORDS_AT + 4 * LANES
const CONSTANTS_END = CONSTANTS_AT + 4 * ROUND_CONSTANTS.length

/** What of WebAssembly is used; not every set of library types has it. */
interface WebAssemblyApi {
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object) => { exports: { memory: { buffer: ArrayBuffer }; run: () => void } }
}

/** `undefined` where WebAssembly's lanes are not to be had: an old engine, or a page whose policy forbids it. */
export function openSha256Lanes(): Sha256Lanes | undefined {
  const { WebAssembly } = globalThis as unknown as { WebAssembly?: WebAssemblyApi }
  try {
    const { memory, run } = new WebAssembly!.Instance(new WebAssembly!.Module(assemble())).exports
    new Int32Array(memory.buffer, CONSTANTS_AT, ROUND_CONSTANTS.length).set(ROUND_CONSTANTS)
    return {
      blocks: new Uint8Array(memory.buffer, 0, WORDS_AT),
      run,
      words: new Int32Array(memory.buffer, WORDS_AT, LANES),
    }
  } catch {
    return undefined
  }
}

type Code = readonly number[]

// Locals: sixteen words of the message schedule, the working variables a to h, and where the round constants stand.
const W = 0
const WORKING = 16
const PLACE = 24

const get = (local: number): Code => [0x20, local]
const set = (local: number): Code => [0x21, local]
const i32 = (value: number): Code => [0x41, ...signedLeb(value)]
/** An instruction of the lanes' family. */
const lanes = (opcode: number, ...immediates: number[]): Code => [0xfd, ...leb(opcode), ...immediates]
const load = (offset: number): Code => lanes(0x00, 2, ...leb(offset))
const loadSplat = (offset: number): Code => lanes(0x09, 2, ...leb(offset))
const store = (offset: number): Code => lanes(0x0b, 2, ...leb(offset))
const shuffle = (bytes: Code): Code => lanes(0x0d, ...bytes)
const SPLAT = lanes(0x11)
const OR = lanes(0x50)
const XOR = lanes(0x51)
const SELECT = lanes(0x52)
const SHIFT_LEFT = lanes(0xab)
const SHIFT_RIGHT = lanes(0xad)
const ADD = lanes(0xae)

const shiftRight = (local: number, by: number): Code => [...get(local), ...i32(by), ...SHIFT_RIGHT]
const rotateRight = (local: number, by: number): Code =>
  [shiftRight(local, by), get(local), i32(32 - by), SHIFT_LEFT, OR].flat()
/** FIPS 180-4 §4.1.2: Σ of a working variable, and σ of a word of the schedule, whose last term is a shift. */
const bigSigma = (local: number, a: number, b: number, c: number): Code =>
  [rotateRight(local, a), rotateRight(local, b), XOR, rotateRight(local, c), XOR].flat()
const smallSigma = (local: number, a: number, b: number, c: number): Code =>
  [rotateRight(local, a), rotateRight(local, b), XOR, shiftRight(local, c), XOR].flat()

/** FIPS 180-4 §6.2.2 step 3. Rather than moving eight variables along, each round names them anew. */
function round(t: number): Code {
  const at = (variable: string) => WORKING + (('abcdefgh'.indexOf(variable) - t) & 7)
  const read = (variable: string) => get(at(variable))
  const choice = [read('f'), read('g'), read('e'), SELECT].flat()
  // Where a and b differ the majority is c's, and elsewhere either's.
  const majority = [read('c'), read('b'), read('a'), read('b'), XOR, SELECT].flat()
  return [
    [read('h'), bigSigma(at('e'), 6, 11, 25), ADD, choice, ADD],
    [get(PLACE), loadSplat(4 * t), get(W + t), ADD, ADD, set(at('h'))],
    [read('d'), read('h'), ADD, set(at('d'))],
    [read('h'), bigSigma(at('a'), 2, 13, 22), ADD, majority, ADD, set(at('h'))],
  ].flat(2)
}

/** FIPS 180-4 §6.2.2 step 1, the word that comes sixteen after word `t` taking its place. */
function nextWord(t: number): Code {
  const word = (n: number) => W + ((t + n) & 15)
  return [
    [get(word(0)), smallSigma(word(1), 7, 18, 3), ADD, get(word(9)), ADD],
    [smallSigma(word(14), 17, 19, 10), ADD, set(word(0))],
  ].flat(2)
}

/**
 * Words `4 group` to `4 group + 3` of all lanes: rows of one message each become columns, and bytes turn around, since
 * SHA-256 reads words from their most significant byte.
 */
function loadWords(group: number): Code {
  const row = (lane: number): Code => [...i32(0), ...load(lane * LANE_BYTES + 16 * group)]
  // The working variables are not in use yet.
  const [low01, high01, low23, high23] = [WORKING, WORKING + 1, WORKING + 2, WORKING + 3] as const
  const interleave = (a: number, b: number, words: Code): Code =>
    [row(a), row(b), shuffle(words.flatMap((word) => [0, 1, 2, 3].map((byte) => 4 * word + byte)))].flat()
  const turned = (a: number, b: number, words: Code): Code =>
    [get(a), get(b), shuffle(words.flatMap((word) => [3, 2, 1, 0].map((byte) => 4 * word + byte)))].flat()
  return [
    [interleave(0, 1, [0, 4, 1, 5]), set(low01), interleave(0, 1, [2, 6, 3, 7]), set(high01)],
    [interleave(2, 3, [0, 4, 1, 5]), set(low23), interleave(2, 3, [2, 6, 3, 7]), set(high23)],
    [turned(low01, low23, [0, 1, 4, 5]), set(W + 4 * group)],
    [turned(low01, low23, [2, 3, 6, 7]), set(W + 4 * group + 1)],
    [turned(high01, high23, [0, 1, 4, 5]), set(W + 4 * group + 2)],
    [turned(high01, high23, [2, 3, 6, 7]), set(W + 4 * group + 3)],
  ].flat(2)
}

/** The module: one page of memory, and `run`, which hashes what stands in it. */
function assemble(): Uint8Array {
  const sixteen = Array.from({ length: 16 }, (_, t) => t)
  const body = [
    [1, 2, 3, 0].flatMap(loadWords),
    Array.from(INITIAL_HASH, (word, n) => [i32(word), SPLAT, set(WORKING + n)]).flat(2),
    [i32(CONSTANTS_AT), set(PLACE)].flat(),
    // block { loop { sixteen rounds; all done? leave the block; sixteen more words; again } }
    [0x02, 0x40, 0x03, 0x40],
    sixteen.flatMap(round),
    [get(PLACE), i32(64), [0x6a], [0x22, PLACE], i32(CONSTANTS_END), [0x46], [0x0d, 1]].flat(),
    sixteen.flatMap(nextWord),
    [0x0c, 0, 0x0b, 0x0b],
    [i32(0), get(WORKING), i32(INITIAL_HASH[0]!), SPLAT, ADD, store(WORDS_AT), [0x0b]].flat(),
  ].flat()
  const locals = [2, 24, 0x7b, 1, 0x7f]
  const code = [...locals, ...body]
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 0, 0]), // types: () → ()
    ...section(3, [1, 0]), // functions: one, of that type
    ...section(5, [1, 0, 1]), // memories: one page
    ...section(7, [2, ...name('memory'), 2, 0, ...name('run'), 0, 0]), // exports
    ...section(10, [1, ...leb(code.length), ...code]),
  ])
}

const section = (id: number, content: Code): Code => [id, ...leb(content.length), ...content]
const name = (text: string): Code => [text.length, ...Array.from(text, (letter) => letter.charCodeAt(0))]

function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)]
}

function signedLeb(value: number): number[] {
  return value >= -0x40 && value < 0x40 ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signedLeb(value >> 7)]
}
