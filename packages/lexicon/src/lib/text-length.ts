const MAX_BYTES_PER_UNIT = 3

/** Bytes of a string's UTF-8 form. A surrogate without its partner counts as the three bytes of U+FFFD. */
export function utf8Length(text: string): number {
  let length = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) continue
    if (unit < 0x800) length += 1
    else if (isHighSurrogate(unit) && isLowSurrogate(text.charCodeAt(i + 1))) {
      length += 2
      i++
    } else length += 2
  }
  return length
}

/** Whether a string is longer than `max` bytes of UTF-8. Counts only where the number of UTF-16 units leaves a doubt. */
export function longer(text: string, max: number): boolean {
  return text.length * MAX_BYTES_PER_UNIT > max && (text.length > max || utf8Length(text) > max)
}

/** Whether a string is shorter than `min` bytes of UTF-8. */
export function shorter(text: string, min: number): boolean {
  return text.length < min && utf8Length(text) < min
}

/** Whether a string has more than `max` grapheme clusters: never more than it has UTF-16 units. */
export function moreGraphemes(text: string, max: number): boolean {
  return text.length > max && graphemeCount(text, max + 1) > max
}

/** Whether a string has fewer than `min` grapheme clusters. */
export function fewerGraphemes(text: string, min: number): boolean {
  return text.length < min || graphemeCount(text, min) < min
}

// Loading the segmentation rules takes milliseconds, which a process that sees only ASCII should not pay.
let segmenter: Intl.Segmenter | undefined

/**
 * Extended grapheme clusters, counted up to `enough`. ASCII has one per character, except that CR LF is one.
 * @see https://unicode.org/reports/tr29/#Grapheme_Cluster_Boundaries
 */
function graphemeCount(text: string, enough: number): number {
  if (isPlainAscii(text)) return text.length
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' })
  let count = 0
  for (const _ of segmenter.segment(text)) if (++count >= enough) break
  return count
}

const CARRIAGE_RETURN = 0x0d

function isPlainAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit >= 0x80 || unit === CARRIAGE_RETURN) return false
  }
  return true
}

const isHighSurrogate = (unit: number) => unit >= 0xd800 && unit < 0xdc00
const isLowSurrogate = (unit: number) => unit >= 0xdc00 && unit < 0xe000
