import type { EncodedText } from './encoded-text.ts'

/**
 * Keys come again and again: `$type`, `createdAt`, `cid`. So do the names that stand behind `$type`. A decoder that
 * finds the string it made last time saves making it, and saves the runtime the search for its twin when the string
 * becomes a property name.
 */

const SLOTS = 1024
const LONGEST = 64
const NOTHING: EncodedText = { text: '', bytes: new Uint8Array() }

const slots: EncodedText[] = new Array(SLOTS).fill(NOTHING)

/** The text that stands at `at`, header first, when it is known. What stands there may be anything. */
export function knownText(bytes: Uint8Array, at: number): EncodedText | undefined {
  const known = slots[slotOf(bytes, at)]!
  const expected = known.bytes
  const { length } = expected
  if (length === 0 || length > bytes.length - at) return undefined
  for (let i = 0; i < length; i++) if (expected[i] !== bytes[at + i]) return undefined
  return known
}

/** Keeps a text for next time, unless it is long. It stands from `at`, header first, to `end`. */
export function learnText(bytes: Uint8Array, at: number, end: number, text: string): void {
  if (end - at <= LONGEST) slots[slotOf(bytes, at)] = { text, bytes: bytes.slice(at, end) }
}

/** By a few of its bytes: whoever makes texts that share a slot only has them made each time. */
function slotOf(bytes: Uint8Array, at: number): number {
  const header = bytes[at]!
  const length = header & 0x1f
  if (length >= bytes.length - at) return 0
  return (
    ((header * 31 + bytes[at + 1]!) * 31 + bytes[at + (length >> 1)]! * 7 + bytes[at + length]!) & (SLOTS - 1)
  )
}
