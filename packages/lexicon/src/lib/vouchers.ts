import { encode, RAW_CODEC } from '@imago/data'
import type { Mode } from '../issue.ts'
import {
  argument,
  type Cursor,
  integer,
  isAt,
  itemOf,
  link,
  NONE,
  pass,
  TEXT,
  textUnits,
} from './drisl-cursor.ts'
import { FORMATS } from './formats.ts'
import type { BlobNode, IntegerNode, StringNode } from './ir.ts'
import { USUAL_FORMS, usualMimeTypes } from './usual-forms.ts'

/**
 * Whether it can vouch for the value at the cursor, which it passes: that it is canonical DRISL, and fits the schema in
 * the mode. "No" is no verdict.
 * @param depth containers around the value.
 */
export type Voucher = (cursor: Cursor, mode: Mode, depth: number) => boolean

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function integerVoucher({ minimum = -Infinity, maximum = Infinity, values }: IntegerNode): Voucher {
  return (cursor) => {
    const value = integer(cursor)
    return (
      value !== undefined &&
      value >= minimum &&
      value <= maximum &&
      (values === undefined || values.includes(value))
    )
  }
}

export function stringVoucher(node: StringNode): Voucher {
  const { format, minLength = 0, maxLength = Infinity, minGraphemes = 0, maxGraphemes = Infinity } = node
  const isUsual = format && USUAL_FORMS[format]
  const isForm = format && FORMATS[format]
  const values = node.values?.map((value) => itemOf(encode(value)))
  return (cursor, mode) => {
    const start = cursor.at
    const length = argument(cursor, TEXT)
    if (length === NONE || length < minLength || length > maxLength) return false
    const { bytes, at } = cursor
    const end = at + length
    if (isUsual?.(bytes, at, end)) cursor.at = end
    else {
      const units = textUnits(cursor, length)
      if (units === NONE || (isForm && !isForm(decoder.decode(bytes.subarray(at, end)), mode))) return false
      // Graphemes are never more than UTF-16 units. How many they are is counted on text, by whoever has the last word.
      if (length > maxGraphemes && units > maxGraphemes) return false
    }
    // Text that is not empty has one at least.
    if (minGraphemes > Math.min(length, 1)) return false
    return values === undefined || values.some((value) => isAt(value, cursor, start))
  }
}

/** A map of four, and the first key of a blob in order. */
const BLOB_START = itemOf(Uint8Array.of(0xa4, ...encode('ref')))
const SIZE = itemOf(encode('size'))
const BLOB_REST = itemOf(Uint8Array.of(...encode('$type'), ...encode('blob'), ...encode('mimeType')))

/** Passes a blob of its four fields, and no more. */
export function blobVoucher({ accept, maxSize = Infinity }: BlobNode): Voucher {
  const isAccepted = accept && usualMimeTypes(accept)
  return (cursor) => {
    if (!pass(cursor, BLOB_START) || !link(cursor, RAW_CODEC) || !pass(cursor, SIZE)) return false
    const size = integer(cursor)
    if (size === undefined || size < 0 || size > maxSize) return false
    if (!pass(cursor, BLOB_REST)) return false
    const length = argument(cursor, TEXT)
    const start = cursor.at
    if (length <= 0 || textUnits(cursor, length) !== length) return false
    return isAccepted === undefined || isAccepted(cursor.bytes, start, cursor.at)
  }
}
