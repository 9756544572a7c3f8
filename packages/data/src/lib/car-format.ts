import { hasSha256 } from '#sha256'
import type { CarLimits } from '../car-limits.ts'
import { Cid } from '../cid.ts'
import { DataError } from '../data-error.ts'
import { decode } from '../decode.ts'
import { isDataMap } from '../value.ts'

export const CID_BYTES = 36
const DIGEST_OFFSET = 4
/** Lengths in a CAR file are far below what four bytes of varint hold. */
export const MAX_LENGTH_BYTES = 4

/**
 * The length that begins at `at`, or −1 when the bytes end within it. Where the frame begins follows from it: see
 * {@link lengthBytes}.
 * @throws {DataError} InvalidCar when it is not minimal; LimitExceeded when it is above `max`.
 */
export function readLength(
  bytes: Uint8Array,
  at: number,
  fileOffset: number,
  max: number,
  what: string,
): number {
  let value = 0
  for (let i = 0; i < MAX_LENGTH_BYTES; i++) {
    const byte = bytes[at + i]
    if (byte === undefined) return -1
    value |= (byte & 0x7f) << (7 * i)
    if (byte > 0x7f) continue
    if (byte === 0 && i > 0) throw invalidCar(fileOffset, `the length of ${what} is not a minimal varint`)
    if (value > max) throw tooLong(fileOffset, what, max)
    return value
  }
  throw tooLong(fileOffset, what, max)
}

/** Bytes that a length takes as a varint. */
export const lengthBytes = (length: number): number =>
  length < 0x80 ? 1 : length < 0x4000 ? 2 : length < 0x20_0000 ? 3 : 4

/** Where the frame whose length begins at `at` holds its CID and bytes. Trusts that a whole frame is there. */
export function frameAt(file: Uint8Array, at: number): { start: number; end: number } {
  let length = 0
  let start = at
  for (let shift = 0; ; shift += 7) {
    const byte = file[start++]!
    length |= (byte & 0x7f) << shift
    if (byte <= 0x7f) return { start, end: start + length }
  }
}

const tooLong = (offset: number, what: string, max: number) =>
  new DataError('LimitExceeded', `CAR file: ${what} at byte ${offset} is longer than ${max} bytes`)

export const invalidCar = (offset: number, fault: string, cause?: unknown): DataError =>
  new DataError('InvalidCar', `not a valid CAR file: at byte ${offset}, ${fault}`, { cause })

/** What nearly all headers are: one DRISL root, between these bytes. Seen for what it is, it need not be decoded. */
const USUAL_START = [0xa2, 0x65, ...ascii('roots'), 0x81, 0xd8, 42, 0x58, 37, 0x00, 0x01, 0x71, 0x12, 0x20]
const USUAL_END = [0x67, ...ascii('version'), 0x01]
const USUAL_ROOT = USUAL_START.length - DIGEST_OFFSET
const USUAL_END_AT = USUAL_ROOT + CID_BYTES

function ascii(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0))
}

function isUsualHeader(bytes: Uint8Array): boolean {
  if (bytes.length !== USUAL_END_AT + USUAL_END.length) return false
  for (let i = 0; i < USUAL_START.length; i++) if (bytes[i] !== USUAL_START[i]) return false
  for (let i = 0; i < USUAL_END.length; i++) if (bytes[USUAL_END_AT + i] !== USUAL_END[i]) return false
  return true
}

/** The roots that a header names. Strict: canonical DRISL-CBOR of `roots` and `version`, and nothing else. */
export function parseHeader(bytes: Uint8Array): Cid[] {
  if (isUsualHeader(bytes)) return [new Cid(bytes, USUAL_ROOT)]
  let header: unknown
  try {
    header = decode(bytes)
  } catch (cause) {
    throw invalidCar(0, `the header cannot be read: ${(cause as Error).message}`, cause)
  }
  if (!isDataMap(header) || header['version'] !== 1)
    throw invalidCar(0, 'the header is not that of version 1')
  const { roots } = header
  if (
    !Array.isArray(roots) ||
    !roots.every((root) => root instanceof Cid) ||
    Object.keys(header).length !== 2
  )
    throw invalidCar(0, 'the header must hold `roots`, an array of links, and `version`, and nothing else')
  return roots
}

/**
 * The CID at the head of a frame, after making sure that the bytes behind it have its hash.
 * @param start where the CID begins in `bytes`; the frame is there as a whole.
 */
export function checkFrame(bytes: Uint8Array, start: number, end: number, fileOffset: number): Cid {
  if (end - start < CID_BYTES)
    throw invalidCar(fileOffset, `a block of ${end - start} bytes is too short for a CID`)
  let cid: Cid
  try {
    cid = new Cid(bytes, start)
  } catch (cause) {
    throw invalidCar(fileOffset, (cause as Error).message, cause)
  }
  if (!hasSha256(bytes.subarray(start + CID_BYTES, end), bytes, start + DIGEST_OFFSET))
    throw invalidCar(fileOffset, `the bytes of block ${cid} do not have its hash`)
  return cid
}

export function refuseBlockCount(count: number, limits: CarLimits): void {
  if (count > limits.maxBlocks)
    throw new DataError('LimitExceeded', `CAR file: more than ${limits.maxBlocks} blocks`)
}

export function refuseByteCount(count: number, limits: CarLimits): void {
  if (count > limits.maxBytes)
    throw new DataError(
      'LimitExceeded',
      `CAR file: ${count} bytes or more, and at most ${limits.maxBytes} are read`,
    )
}
