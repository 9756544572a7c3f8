import type { Random } from '../random.ts'
import { createCborScanner } from './cbor-items.ts'

export interface MutatorOptions {
  readonly random: Random
  /** Longest input it makes. */
  readonly maxBytes: number
  /** Strings and bytes to put in. */
  readonly dictionary?: readonly (string | Uint8Array)[] | undefined
}

export interface Mutator {
  /**
   * `input`, changed in one to four places.
   * @param donor another input, from which pieces are taken.
   * @returns a view of the mutator's own memory, which the next call overwrites. It begins at a varying offset, so that
   * a decoder which forgets `byteOffset` is found out.
   */
  mutate(input: Uint8Array, donor: Uint8Array): Uint8Array
}

const INTERESTING_BYTES = [
  0x00, 0x01, 0x17, 0x18, 0x1b, 0x20, 0x2f, 0x7f, 0x80, 0xa0, 0xd8, 0xf6, 0xf7, 0xfb, 0xff,
]
/** Arguments at which the width of a CBOR head, a varint or an integer's safety changes. */
const EDGES = [
  0,
  1,
  23,
  24,
  127,
  128,
  255,
  256,
  65535,
  65536,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 53 - 1,
  2 ** 53,
]
const MAX_OFFSET = 8
const MAX_ITEMS_PASSED = 6

const bytesOf = (...values: number[]) => Uint8Array.from(values)
/** What DRISL forbids or treats specially, each a whole item. */
const ITEMS: readonly Uint8Array[] = [
  bytesOf(0xf4),
  bytesOf(0xf5),
  bytesOf(0xf6),
  bytesOf(0xf7),
  bytesOf(0xf8, 0x20),
  bytesOf(0xf9, 0x7e, 0x00),
  bytesOf(0xfa, 0x47, 0xc3, 0x50, 0x00),
  bytesOf(0xfb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0),
  bytesOf(0xfb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0),
  bytesOf(0x00),
  bytesOf(0x20),
  bytesOf(0x1b, 0x00, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
  bytesOf(0x1b, 0x00, 0x20, 0, 0, 0, 0, 0, 0),
  bytesOf(0x3b, 0x00, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe),
  bytesOf(0x3b, 0x00, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
  bytesOf(0x3b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
  bytesOf(0x40),
  bytesOf(0x60),
  bytesOf(0x62, 0xc3, 0x28),
  bytesOf(0x63, 0xed, 0xa0, 0x80),
  bytesOf(0x64, 0xf0, 0x9f, 0x98, 0x80),
  bytesOf(0x80),
  bytesOf(0xa0),
  bytesOf(0xa1, 0x60, 0xf6),
  bytesOf(0x9f, 0xff),
  bytesOf(0xbf, 0xff),
  bytesOf(0x5f, 0x41, 0x00, 0xff),
  bytesOf(0xc1, 0x00),
  bytesOf(0xd8, 0x2a, 0x41, 0x00),
  bytesOf(0xd8, 0x2a, 0x58, 0x25, 0x00, 0x01, 0x71, 0x12, 0x20, ...new Array<number>(32).fill(7)),
  bytesOf(0xd8, 0x2a, 0x58, 0x25, 0x00, 0x01, 0x55, 0x12, 0x20, ...new Array<number>(32).fill(7)),
  bytesOf(0x7b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
  bytesOf(0x9b, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00),
  bytesOf(0xba, 0xff, 0xff, 0xff, 0xff),
]

/** A head of the given major type, wide enough for `argument`, or wider than it need be by `excess` steps. */
function cborHead(major: number, argument: number, excess: number): Uint8Array {
  const step = argument < 24 ? 0 : argument < 2 ** 8 ? 1 : argument < 2 ** 16 ? 2 : argument < 2 ** 32 ? 3 : 4
  const chosen = Math.min(step + excess, 4)
  if (chosen === 0) return bytesOf((major << 5) | argument)
  const head = new Uint8Array(1 + (1 << (chosen - 1)))
  head[0] = (major << 5) | (23 + chosen)
  for (let i = head.length - 1, rest = argument; i > 0; i--, rest = Math.floor(rest / 256))
    head[i] = rest % 256
  return head
}

/**
 * Changes inputs: bits, bytes, ranges and lengths of anything; items, heads, counts and order of CBOR; and what a
 * dictionary holds. The same randomness gives the same changes.
 */
export function createMutator({ random, maxBytes, dictionary = [] }: MutatorOptions): Mutator {
  const memory = new Uint8Array(maxBytes + MAX_OFFSET)
  const encoder = new TextEncoder()
  const tokens = dictionary.map((token) => (typeof token === 'string' ? encoder.encode(token) : token))
  const scan = createCborScanner()
  let bytes = memory
  let length = 0

  /** Puts `piece` in the place of bytes `start` to `end`, as far as there is room. */
  function replace(start: number, end: number, piece: Uint8Array): void {
    const room = maxBytes - (length - (end - start))
    const size = Math.min(piece.length, room)
    bytes.copyWithin(start + size, end, length)
    bytes.set(size === piece.length ? piece : piece.subarray(0, size), start)
    length += size - (end - start)
  }

  /** A start and an end within the first `limit` bytes, most often close together. */
  function range(limit: number): [start: number, end: number] {
    const start = random.int(limit + 1)
    const reach = random.chance(0.8) ? 16 : limit
    return [start, Math.min(limit, start + random.int(reach + 1))]
  }

  const generic: readonly ((donor: Uint8Array) => void)[] = [
    () => {
      if (length > 0) bytes[random.int(length)]! ^= 1 << random.int(8)
    },
    () => {
      if (length > 0) bytes[random.int(length)]! += random.int(33) - 16
    },
    () => {
      if (length > 0) bytes[random.int(length)] = random.pick(INTERESTING_BYTES)
    },
    () => {
      if (length > 0) bytes[random.int(length)] = 0x20 + random.int(0x5f)
    },
    () => {
      const [start, end] = range(length)
      replace(start, end, new Uint8Array(0))
    },
    () => {
      const [start, end] = range(length)
      const at = random.int(length + 1)
      replace(at, at, bytes.slice(start, end))
    },
    () => {
      const at = random.int(length + 1)
      replace(at, at, random.bytes(1 + random.int(8)))
    },
    (donor) => {
      const [start, end] = range(length)
      const [from, to] = range(donor.length)
      replace(start, end, donor.subarray(from, to))
    },
    (donor) => {
      replace(random.int(length + 1), length, donor.subarray(random.int(donor.length + 1)))
    },
    () => {
      length = random.int(length + 1)
    },
    () => {
      // A length field anywhere: one byte and what follows, as a varint, or as an integer of two or four bytes.
      const at = random.int(length + 1)
      const edge = random.pick(EDGES)
      const field = random.chance(0.5) ? varint(edge) : integer(edge, random.pick([2, 4, 8]))
      replace(at, Math.min(length, at + (random.chance(0.5) ? field.length : 1)), field)
    },
    () => {
      if (tokens.length === 0) return
      const [start, end] = range(length)
      replace(start, random.chance(0.5) ? start : end, random.pick(tokens))
    },
  ]

  /** Where one of the first items of a sequence begins: a frame, for one, is a header and a body. */
  function laterItem(): number {
    let start = 0
    for (let left = random.int(MAX_ITEMS_PASSED + 1); left > 0; left--) {
      const { count, end } = scan(bytes, start, length)
      if (count === 0 || end[0]! >= length) break
      start = end[0]!
    }
    return start
  }

  function cborEdit(donor: Uint8Array): void {
    // A document mostly begins at the first byte, or follows on another; in a CAR it may begin anywhere.
    const offset = random.chance(0.3) ? 0 : random.chance(0.6) ? laterItem() : random.int(length + 1)
    let piece: Uint8Array | undefined
    if (random.chance(0.3)) {
      const from = random.chance(0.5) ? 0 : random.int(donor.length + 1)
      const given = scan(donor, from, donor.length)
      const chosen = random.int(given.count)
      if (given.count > 0) piece = donor.slice(given.start[chosen]!, given.end[chosen]!)
    }
    const items = scan(bytes, offset, length)
    if (items.count === 0) return
    const index = random.int(items.count)
    const start = items.start[index]!
    const headEnd = items.headEnd[index]!
    const end = items.end[index]!
    const parent = items.parent[index]!
    const major = bytes[start]! >> 5
    /** Makes the count around the item right again, or leaves it wrong. */
    const recount = (by: number) => {
      if (parent < 0 || random.chance(0.2)) return
      const initial = bytes[items.start[parent]!]!
      const single = initial >> 5 === 4 || initial >> 5 === 5
      if (single && (initial & 31) < 23 && (initial & 31) + by >= 0)
        bytes[items.start[parent]!] = initial + by
    }
    const none = new Uint8Array(0)
    switch (random.int(8)) {
      case 0:
        replace(start, end, piece ?? random.pick(ITEMS))
        break
      case 1: {
        const other = random.int(items.count)
        replace(start, end, bytes.slice(items.start[other]!, items.end[other]!))
        break
      }
      case 2:
        recount(-1)
        replace(start, end, none)
        break
      case 3:
        recount(1)
        replace(end, end, piece ?? bytes.slice(start, end))
        break
      case 4: {
        const info = bytes[start]! & 31
        const argument = info < 24 ? info : headEnd - start === 2 ? bytes[start + 1]! : random.pick(EDGES)
        const near = random.chance(0.5) ? Math.max(0, argument + random.int(3) - 1) : random.pick(EDGES)
        replace(start, headEnd, cborHead(major, near, 0))
        break
      }
      case 5: {
        const info = bytes[start]! & 31
        if (info < 24) replace(start, headEnd, cborHead(major, info, 1 + random.int(4)))
        break
      }
      case 6:
        bytes[start] = (bytes[start]! & 31) | (random.int(8) << 5)
        break
      default: {
        const depth = random.chance(0.9) ? 1 + random.int(4) : random.int(400)
        replace(start, start, new Uint8Array(depth).fill(random.pick([0x81, 0xc1, 0xd8])))
      }
    }
  }

  return {
    mutate(input, donor) {
      const offset = random.int(MAX_OFFSET)
      bytes = memory.subarray(offset, offset + maxBytes)
      length = Math.min(input.length, maxBytes)
      bytes.set(length === input.length ? input : input.subarray(0, length))
      for (let rounds = 1 + random.int(4); rounds > 0; rounds--)
        if (random.chance(0.4)) cborEdit(donor)
        else random.pick(generic)(donor)
      return bytes.subarray(0, length)
    },
  }
}

function varint(value: number): Uint8Array {
  const result: number[] = []
  for (; value >= 128; value = Math.floor(value / 128)) result.push((value % 128) | 128)
  return Uint8Array.from([...result, value])
}

/** Big-endian, cut to `width` bytes. */
function integer(value: number, width: number): Uint8Array {
  const result = new Uint8Array(width)
  for (let i = width - 1; i >= 0; i--, value = Math.floor(value / 256)) result[i] = value % 256
  return result
}
