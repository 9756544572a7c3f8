import { compareEncodedKeys, type EncodedText, encodedText } from './encoded-text.ts'

/**
 * The keys of a map in order, ready to be written. Maps come in few shapes (a post, an entry of an MST node), so
 * what was found out about the last ones is kept: most look-ups end after comparing some pointers.
 */

interface Shape {
  /** As the map lists them. */
  readonly keys: readonly string[]
  /** As DRISL-CBOR wants them. */
  readonly sorted: readonly EncodedText[]
}

const SLOTS = 256
const MOST_KEYS = 24
const LONGEST_KEY = 64

const slots: (Shape | undefined)[] = new Array(SLOTS).fill(undefined)

/** @returns the first key that has a lone surrogate instead, if there is one. */
export function sortedKeys(keys: readonly string[]): readonly EncodedText[] | string {
  const slot = keys.length === 0 ? 0 : slotOf(keys)
  const known = slots[slot]
  if (known !== undefined && sameKeys(known.keys, keys)) return known.sorted

  const sorted: EncodedText[] = []
  let mayKeep = keys.length <= MOST_KEYS
  for (const text of keys) {
    const key = encodedText(text)
    if (key === undefined) return text
    if (text.length > LONGEST_KEY) mayKeep = false
    sorted.push(key)
  }
  sorted.sort(compareEncodedKeys)
  if (mayKeep) slots[slot] = { keys, sorted }
  return sorted
}

function slotOf(keys: readonly string[]): number {
  const first = keys[0]!
  const last = keys[keys.length - 1]!
  return (
    (keys.length * 31 +
      first.length * 7 +
      first.charCodeAt(0) * 13 +
      last.length * 17 +
      last.charCodeAt(last.length - 1)) &
    (SLOTS - 1)
  )
}

function sameKeys(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
