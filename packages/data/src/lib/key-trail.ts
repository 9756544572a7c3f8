import { compareEncodedKeys, type EncodedText, encodedText, LONGEST_KNOWN, NO_TEXT } from './encoded-text.ts'

/**
 * A key at its place in maps that were written: behind which key it came, in a map that stood under which key. Maps come
 * in few shapes, so the key that comes next is, nearly always, the one that came next there last time: one comparison of
 * two pointers finds it, encoded, and found to be in order.
 */
export interface Step {
  readonly key: EncodedText
  readonly text: string
  /** Bytes that it takes, header included. */
  readonly size: number
  /** Bytes that writing it by the word may touch. */
  readonly reach: number
  /** Its first three words, which is all of most keys. */
  readonly first: number
  readonly second: number
  readonly third: number
  /** Whether what stands under it, by rights, names a type. */
  readonly isType: boolean
  /** The type that was named there last time. */
  typeName: EncodedText | undefined
  /** The key that came after it last time. */
  next: Step | undefined
  /** All that ever did, when there were several. */
  others: Map<string, Step> | undefined
  /** What stands before the first key of maps under it. */
  start: Step | undefined
}

/** All are dropped when there are more, which real data never has. */
const MOST = 4096
let kept = 0

function stepOf(key: EncodedText): Step {
  const { text, bytes, words } = key
  return {
    key,
    text,
    size: bytes.length,
    reach: 4 * words.length,
    first: words[0] ?? 0,
    second: words[1] ?? 0,
    third: words[2] ?? 0,
    isType: text === '$type',
    typeName: undefined,
    next: undefined,
    others: undefined,
    start: undefined,
  }
}

let top = stepOf(NO_TEXT)

/** Where a value begins that is not part of another. */
export function outermost(): Step {
  if (kept > MOST) {
    kept = 0
    top = stepOf(NO_TEXT)
  }
  return top
}

/** Where a map begins that stands under a key, or in arrays under it. */
export function startUnder(step: Step): Step {
  if (step.start === undefined) {
    step.start = stepOf(NO_TEXT)
    kept++
  }
  return step.start
}

/** The key `text`, when it may follow `previous` in DRISL-CBOR; otherwise `undefined`. */
export function stepAfter(previous: Step, text: string): Step | undefined {
  const { next } = previous
  return next !== undefined && next.text === text ? next : otherStepAfter(previous, text)
}

function otherStepAfter(previous: Step, text: string): Step | undefined {
  const found = previous.others?.get(text)
  if (found !== undefined) return (previous.next = found)
  const key = encodedText(text)
  if (key === undefined || compareEncodedKeys(previous.key, key) >= 0) return undefined
  const step = stepOf(key)
  if (text.length <= LONGEST_KNOWN && kept <= MOST) keep(previous, step)
  return step
}

function keep(previous: Step, step: Step): void {
  if (previous.next !== undefined) {
    previous.others ??= new Map([[previous.next.text, previous.next]])
    previous.others.set(step.text, step)
  }
  previous.next = step
  kept++
}
