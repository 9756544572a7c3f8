import { DataError } from '../data-error.ts'

/**
 * An unsigned integer in as few bytes as it takes, seven bits to a byte, least significant first.
 * @param value a safe integer, 0 or more.
 * @throws {DataError} InvalidValue when it is not.
 * @see https://github.com/multiformats/unsigned-varint
 */
export function encodeVarint(value: number): Uint8Array {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new DataError('InvalidValue', `${value} has no varint: expected a safe integer, 0 or more`)
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80)
  bytes.push(rest)
  return Uint8Array.from(bytes)
}

/**
 * The unsigned integer that begins at `offset`, and where it ends.
 * @throws {DataError} InvalidMultibase when the bytes end within it, when fewer bytes would do, or when it is not a
 * safe integer.
 */
export function decodeVarint(bytes: Uint8Array, offset = 0): { value: number; end: number } {
  let value = 0
  let weight = 1
  for (let at = offset; ; at++, weight *= 0x80) {
    const byte = bytes[at]
    if (byte === undefined) throw new DataError('InvalidMultibase', `varint at byte ${offset} is cut off`)
    if (weight > 2 ** 49)
      throw new DataError('InvalidMultibase', `varint at byte ${offset} is longer than 8 bytes`)
    value += (byte & 0x7f) * weight
    if (byte > 0x7f) continue
    if (byte === 0 && at > offset)
      throw new DataError('InvalidMultibase', `varint at byte ${offset} is not minimal: its last byte is 0`)
    if (value > Number.MAX_SAFE_INTEGER)
      throw new DataError('InvalidMultibase', `varint at byte ${offset} is above ${Number.MAX_SAFE_INTEGER}`)
    return { value, end: at + 1 }
  }
}
