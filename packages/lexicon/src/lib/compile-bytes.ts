import { compareBytes, encode, type Limits } from '@imago/data'
import {
  ARRAY,
  anyEntry,
  anyValue,
  argument,
  BYTES,
  type Cursor,
  container,
  cursorOf,
  FALSE,
  type Item,
  isAfter,
  isAt,
  itemOf,
  link,
  MAP,
  NONE,
  NULL,
  pass,
  TEXT,
  TRUE,
  textUnits,
} from './drisl-cursor.ts'
import type { ArrayNode, Definition, Field, Node, ObjectNode, UnionNode } from './ir.ts'
import { isTypeName } from './values.ts'
import { blobVoucher, integerVoucher, stringVoucher, type Voucher } from './vouchers.ts'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Makes the voucher of a definition, once, on first use. */
export function createVouchers(limits: Limits): (definition: Definition) => Voucher {
  const made = new Map<Definition, Voucher>()

  function definition(target: Definition): Voucher {
    const known = made.get(target)
    if (known) return known
    let compiled: Voucher | undefined
    const voucher: Voucher = (cursor, mode, depth) => (compiled ??= ofDefinition(target))(cursor, mode, depth)
    made.set(target, voucher)
    return voucher
  }

  function ofDefinition({ type, node }: Definition): Voucher {
    if (node.kind === 'record') return objectVoucher(node.object, type)
    return node.kind === 'token' ? never : voucher(node)
  }

  function voucher(node: Node): Voucher {
    switch (node.kind) {
      case 'boolean': {
        const only = node.const
        return (cursor) => {
          const byte = cursor.bytes[cursor.at++]
          return (byte === TRUE && only !== false) || (byte === FALSE && only !== true)
        }
      }
      case 'integer':
        return integerVoucher(node)
      case 'string':
        return stringVoucher(node)
      case 'bytes': {
        const { minLength = 0, maxLength = Infinity } = node
        return (cursor) => {
          const length = argument(cursor, BYTES)
          cursor.at += length
          return length !== NONE && length >= minLength && length <= maxLength
        }
      }
      case 'cid-link':
        return (cursor) => link(cursor)
      case 'blob':
        return blobVoucher(node)
      case 'array':
        return arrayVoucher(node)
      case 'object':
        return objectVoucher(node)
      case 'unknown':
        return (cursor, _mode, depth) =>
          isMap(cursor) && !isBlob(cursor, depth) && anyValue(cursor, limits, depth)
      case 'ref':
        return node.target ? definition(node.target) : never
      case 'union':
        return unionVoucher(node)
    }
  }

  function arrayVoucher({ items, minLength = 0, maxLength = Infinity }: ArrayNode): Voucher {
    const item = voucher(items)
    return (cursor, mode, depth) => {
      const length = container(cursor, ARRAY, limits, depth)
      if (length === NONE || length < minLength || length > maxLength) return false
      for (let i = 0; i < length; i++) if (!item(cursor, mode, depth + 1)) return false
      return true
    }
  }

  /** Both the keys of a map and the fields here come in the order of DRISL: one pass over both meets every pair. */
  function objectVoucher(node: ObjectNode, recordType?: string): Voucher {
    const type = recordType === undefined ? anyTypeField : typeField(recordType)
    const fields = [type, ...node.fields.map(fieldVoucher)].sort(
      (a, b) => a.key.length - b.key.length || compareBytes(a.key.bytes, b.key.bytes),
    )
    return (cursor, mode, depth) => {
      const { bytes } = cursor
      const entries = container(cursor, MAP, limits, depth)
      if (entries === NONE) return false
      let next = 0
      let previous = NONE
      let mayBeOutOfOrder = false
      for (let i = 0; i < entries; i++) {
        const { at } = cursor
        let found = next
        const word = wordAt(cursor, at)
        while (found < fields.length && !isField(fields[found]!, word, cursor, at)) found++
        if (found === fields.length) {
          if (!anyEntry(cursor, limits, depth + 1, previous)) return false
          mayBeOutOfOrder = true
        } else {
          const field = fields[found]!
          if (mayBeOutOfOrder && !isAfter(bytes, at, field.key.length, previous)) return false
          for (; next < found; next++) if (fields[next]!.required) return false
          next++
          cursor.at = at + field.key.length
          if (field.nullable && bytes[cursor.at] === NULL) cursor.at++
          else if (!field.voucher(cursor, mode, depth + 1)) return false
        }
        previous = at
      }
      for (; next < fields.length; next++) if (fields[next]!.required) return false
      return true
    }
  }

  const anyTypeField: FieldVoucher = {
    ...fieldKey('$type'),
    voucher: (cursor, _mode, depth) => anyValue(cursor, limits, depth),
    required: false,
    nullable: false,
  }

  function fieldVoucher({ name, node, required, nullable }: Field): FieldVoucher {
    return { ...fieldKey(name), voucher: voucher(node), required, nullable }
  }

  function unionVoucher({ variants, closed }: UnionNode): Voucher {
    const known = variants.map((variant) => ({
      type: itemOf(encode(variant.ref)),
      voucher: voucher(variant),
    }))
    return (cursor, mode, depth) => {
      if (!isMap(cursor)) return false
      const { bytes, at } = cursor
      const hasType = findType(cursor, depth)
      const start = cursor.at
      cursor.at = at
      if (!hasType) return false
      for (let i = 0; i < known.length; i++) {
        const { type, voucher } = known[i]!
        if (isAt(type, cursor, start)) return voucher(cursor, mode, depth)
      }
      return (
        !closed &&
        mode !== 'closed' &&
        isTypeName(textAt(bytes, start), mode) &&
        anyValue(cursor, limits, depth)
      )
    }
  }

  /**
   * Moves to the value of a map's `$type`, if there is one. What comes before it, under shorter keys, is looked at here
   * and once more later.
   */
  function findType(cursor: Cursor, depth: number): boolean {
    const entries = container(cursor, MAP, limits, depth)
    for (let i = 0; i < entries; i++) {
      if (isAt(TYPE, cursor, cursor.at)) {
        cursor.at += TYPE.length
        return true
      }
      const length = argument(cursor, TEXT)
      if (length === NONE || length >= TYPE.length) return false
      cursor.at += length
      if (!anyValue(cursor, limits, depth + 1)) return false
    }
    return false
  }

  /** Whether a map's `$type` is `blob`. Leaves the cursor where it was. */
  function isBlob(cursor: Cursor, depth: number): boolean {
    const { at } = cursor
    const found = findType(cursor, depth) && isAt(BLOB, cursor, cursor.at)
    cursor.at = at
    return found
  }

  return definition
}

interface FieldVoucher {
  /** As it stands in a map, head and all. */
  readonly key: Item
  /** Its first bytes as one number, and which bits of a word they take: most other keys differ there already. */
  readonly word: number
  readonly mask: number
  readonly voucher: Voucher
  readonly required: boolean
  readonly nullable: boolean
}

const never: Voucher = () => false
const TYPE = itemOf(encode('$type'))
const BLOB = itemOf(encode('blob'))

const isMap = ({ bytes, at }: Cursor) => at < bytes.length && bytes[at]! >> 5 === MAP

function typeField(type: string): FieldVoucher {
  const only = itemOf(encode(type))
  return { ...fieldKey('$type'), voucher: (cursor) => pass(cursor, only), required: true, nullable: false }
}

const WORD_BYTES = 4

function fieldKey(name: string): Pick<FieldVoucher, 'key' | 'word' | 'mask'> {
  const key = itemOf(encode(name))
  const mask = key.length >= WORD_BYTES ? -1 : -1 << (8 * (WORD_BYTES - key.length))
  return { key, word: wordAt(cursorOf(key.bytes), 0) & mask, mask }
}

/** Four bytes as a number; those beyond the end count as 0. */
function wordAt({ bytes, words }: Cursor, at: number): number {
  return at + WORD_BYTES <= bytes.length
    ? words.getInt32(at)
    : bytes.subarray(at).reduce((word, byte, i) => word | (byte << (24 - 8 * i)), 0)
}

/** Whether the key at `at`, of which `word` are the first bytes, is that of a field. */
function isField({ key, word, mask }: FieldVoucher, found: number, cursor: Cursor, at: number): boolean {
  return (found & mask) === word && (key.length <= WORD_BYTES || isAt(key, cursor, at))
}

/** The text at `at`, or nothing where there is none. */
function textAt(bytes: Uint8Array, at: number): string | undefined {
  const cursor = cursorOf(bytes, at)
  const length = argument(cursor, TEXT)
  const start = cursor.at
  if (length === NONE || textUnits(cursor, length) === NONE) return undefined
  return decoder.decode(bytes.subarray(start, start + length))
}
