/**
 * Keys come again and again: `$type`, `createdAt`, `cid`. A decoder that finds the string it made last time saves
 * making it, and saves the runtime the search for its twin when the string becomes a property name.
 */

const SLOTS = 1024
const LONGEST = 32

interface KnownKey {
  readonly bytes: Uint8Array
  readonly text: string
}

const slots: (KnownKey | undefined)[] = new Array(SLOTS).fill(undefined)

/** The key in `bytes` from `start` to `end`: known already, or made by `read`, and known from then on. */
export function knownKey(
  bytes: Uint8Array,
  start: number,
  end: number,
  read: (bytes: Uint8Array, start: number, end: number) => string | undefined,
): string | undefined {
  const length = end - start
  if (length > LONGEST) return read(bytes, start, end)
  let hash = length
  for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + bytes[at]!) | 0
  const slot = (hash ^ (hash >>> 10)) & (SLOTS - 1)
  const known = slots[slot]
  if (known !== undefined && spells(known.bytes, bytes, start, length)) return known.text
  const text = read(bytes, start, end)
  if (text !== undefined) slots[slot] = { bytes: bytes.slice(start, end), text }
  return text
}

function spells(known: Uint8Array, bytes: Uint8Array, start: number, length: number): boolean {
  if (known.length !== length) return false
  for (let i = 0; i < length; i++) if (known[i] !== bytes[start + i]) return false
  return true
}
