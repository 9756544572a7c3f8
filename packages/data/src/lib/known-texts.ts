/**
 * Keys come again and again: `$type`, `createdAt`, `cid`. So do the names that stand behind `$type`. A decoder that
 * finds the string it made last time saves making it, and saves the runtime the search for its twin when the string
 * becomes a property name.
 */
export interface KnownText {
  readonly text: string
  /** Bytes that it takes, header included. */
  readonly length: number
  /** What it takes in words of four bytes, header first: the first and the last one, which overlap where it is short. */
  readonly first: number
  readonly last: number
  /** And those between the two. */
  readonly inner: readonly number[]
  /** Which bits of the first word are its own: not all where it has one or two characters. */
  readonly mask: number
  /** What no other text ever has. */
  readonly id: number
  /**
   * The key that followed this one in a map last time: where it lay, and which it was. Two numbers, so that none keeps
   * another alive. Once it was found to come after this one in order, it always does.
   */
  nextSlot: number
  nextId: number
}

const WORD = 4
const SLOTS = 1024
const SLOT_BITS = 10
const LONGEST = 64
const NO_ID = 0
let lastId = NO_ID

function madeOf(
  text: string,
  length: number,
  first: number,
  last: number,
  inner: readonly number[],
): KnownText {
  const mask = maskOf(length)
  return { text, length, first, last, inner, mask, id: ++lastId, nextSlot: 0, nextId: NO_ID }
}

/** Each text has two slots that it may lie in, so that one that shares a slot does not drive it out. */
const slots: KnownText[] = new Array(SLOTS).fill(madeOf('', 0, 0, 0, []))

/** The text that stands at `at`, header first, when it is known. What stands there may be anything. */
export function knownText(input: DataView, at: number, end: number): KnownText | undefined {
  if (end - at < WORD) return undefined
  const start = input.getInt32(at)
  const length = lengthOf(start)
  if (length === 0 || length > end - at) return undefined
  const first = start & maskOf(length)
  const last = length < WORD ? first : input.getInt32(at + length - WORD)
  const slot = slotOf(first, last)
  let known = slots[slot]!
  if (known.first !== first || known.last !== last) {
    known = slots[slot ^ 1]!
    if (known.first !== first || known.last !== last) return undefined
  }
  return hasInner(known, input, at) ? known : undefined
}

/**
 * The key that followed `previous` last time, when it stands at `at` again: it is in order, and need not be looked for.
 */
export function knownNext(
  previous: KnownText,
  input: DataView,
  at: number,
  end: number,
): KnownText | undefined {
  const next = slots[previous.nextSlot]!
  const { length } = next
  if (next.id !== previous.nextId || length > end - at || end - at < WORD) return undefined
  if ((input.getInt32(at) & next.mask) !== next.first) return undefined
  if (length > WORD && input.getInt32(at + length - WORD) !== next.last) return undefined
  return hasInner(next, input, at) ? next : undefined
}

function hasInner({ inner }: KnownText, input: DataView, at: number): boolean {
  for (let i = 0; i < inner.length; i++) if (input.getInt32(at + WORD * (i + 1)) !== inner[i]) return false
  return true
}

/** Notes that `next` followed `previous`, and in order. */
export function learnNext(previous: KnownText, next: KnownText): void {
  const slot = slotOf(next.first, next.last)
  previous.nextSlot = slots[slot] === next ? slot : slot ^ 1
  previous.nextId = next.id
}

/** Keeps a text for next time, unless it is long. It stands from `at`, header first, to `end`. */
export function learnText(input: DataView, at: number, end: number, text: string): void {
  if (input.byteLength - at < WORD || end - at > LONGEST) return
  const start = input.getInt32(at)
  const length = lengthOf(start)
  if (length === 0) return
  const first = start & maskOf(length)
  const last = length < WORD ? first : input.getInt32(end - WORD)
  const inner: number[] = []
  for (let next = at + WORD; next < end - WORD; next += WORD) inner.push(input.getInt32(next))
  const slot = slotOf(first, last)
  slots[slot ^ 1] = slots[slot]!
  slots[slot] = madeOf(asPropertyName(text), length, first, last, inner)
}

/** Of a text that begins with these four bytes, header included; 0 when it is empty or long, or no text. */
function lengthOf(start: number): number {
  const header = start >>> 24
  if (header < 0x78) return header > 0x60 ? header - 0x60 + 1 : 0
  return header === 0x78 ? ((start >>> 16) & 0xff) + 2 : 0
}

/** The bits of a first word without the bytes that follow a text of one or two characters. */
function maskOf(length: number): number {
  return length < WORD ? -1 << (8 * (WORD - length)) : -1
}

/** The very string that V8 keeps for the name of a property: it need not look for it any more. */
const asPropertyName = (text: string): string => Object.keys({ [text]: null })[0]!

/** Whoever makes texts that share a slot only has them made each time. */
const slotOf = (first: number, last: number): number =>
  (Math.imul(first, 0x9e37_79b1) ^ Math.imul(last, 0x85eb_ca6b)) >>> (32 - SLOT_BITS)
