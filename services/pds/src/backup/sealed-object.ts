import { createCipheriv, createDecipheriv } from 'node:crypto'
import { concatBytes } from '@imago/data'
import { BackupError } from './backup-error.ts'
import type { BackupKeys } from './backup-keys.ts'

/*
 * An object as it lies in the store:
 *
 *   salt (16 bytes) ‖ segment …
 *   segment = AES-256-GCM(key of place and salt, nonce = number ‖ last, up to 256 KiB) ‖ tag (16 bytes)
 *
 * Every segment is full but the last. The number in the nonce keeps segments in order, and its last byte says which
 * one is the last, so that nothing can be cut off, added or moved; the place in the key keeps one object from standing
 * in for another. (The construction is known as STREAM.)
 */

export const SALT_BYTES = 16
const SEGMENT_BYTES = 256 * 1024
const TAG_BYTES = 16
const SEALED_SEGMENT_BYTES = SEGMENT_BYTES + TAG_BYTES
const CIPHER = 'aes-256-gcm'

/**
 * Encrypts a stream of bytes for one place of the store, in constant memory.
 * @param salt {@link SALT_BYTES} random bytes, never the same twice.
 */
export async function* seal(
  keys: BackupKeys,
  place: string,
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  salt: Uint8Array,
): AsyncGenerator<Uint8Array> {
  const key = keys.objectKey(place, salt)
  yield salt
  let number = 0
  let before: Uint8Array | undefined
  for await (const segment of inSegments(body, SEGMENT_BYTES)) {
    if (before !== undefined) yield sealSegment(key, number++, false, before)
    before = segment
  }
  yield sealSegment(key, number, true, before ?? new Uint8Array(0))
}

/**
 * What {@link seal} was given.
 * @throws {BackupError} `Damaged`, naming the place, when the bytes are not those, or not whole.
 */
export async function* open(
  keys: BackupKeys,
  place: string,
  sealed: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let key: Uint8Array | undefined
  let number = 0
  let before: Uint8Array | undefined
  for await (const segment of inSegments(sealed, SEALED_SEGMENT_BYTES, SALT_BYTES)) {
    if (key === undefined) {
      if (segment.length < SALT_BYTES) throw damaged(place)
      key = keys.objectKey(place, segment)
      continue
    }
    if (before !== undefined) yield openSegment(key, number++, false, before, place)
    before = segment
  }
  if (key === undefined || before === undefined) throw damaged(place)
  yield openSegment(key, number, true, before, place)
}

/** How many bytes a sealed object of so many bytes takes. */
export function sealedSize(bytes: number): number {
  return SALT_BYTES + bytes + TAG_BYTES * Math.max(1, Math.ceil(bytes / SEGMENT_BYTES))
}

/** All of a small object. */
export async function collect(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const part of body) parts.push(part)
  return parts.length === 1 ? parts[0]! : concatBytes(parts)
}

export function damaged(place: string, cause?: unknown): BackupError {
  return new BackupError(
    'Damaged',
    `${place} is damaged: it was changed or cut off, or is another object under this name. Put it back from a copy of the repository, or restore an older backup`,
    { key: place, cause },
  )
}

function nonceOf(number: number, last: boolean): Uint8Array {
  const nonce = new Uint8Array(12)
  new DataView(nonce.buffer).setUint32(7, number)
  nonce[11] = last ? 1 : 0
  return nonce
}

function sealSegment(key: Uint8Array, number: number, last: boolean, plain: Uint8Array): Uint8Array {
  const cipher = createCipheriv(CIPHER, key, nonceOf(number, last))
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

function openSegment(
  key: Uint8Array,
  number: number,
  last: boolean,
  sealed: Uint8Array,
  place: string,
): Uint8Array {
  if (sealed.length < TAG_BYTES) throw damaged(place)
  const end = sealed.length - TAG_BYTES
  const decipher = createDecipheriv(CIPHER, key, nonceOf(number, last))
  decipher.setAuthTag(sealed.subarray(end))
  try {
    return Buffer.concat([decipher.update(sealed.subarray(0, end)), decipher.final()])
  } catch (error) {
    throw damaged(place, error)
  }
}

/** Pieces of exactly `size` bytes, the last of them shorter. The very first may have a size of its own. */
async function* inSegments(
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  size: number,
  firstSize = size,
): AsyncGenerator<Uint8Array> {
  let wanted = firstSize
  let gathered: Uint8Array[] = []
  let gatheredBytes = 0
  for await (let rest of body) {
    while (gatheredBytes + rest.length >= wanted) {
      const taken = wanted - gatheredBytes
      yield concatBytes([...gathered, rest.subarray(0, taken)])
      rest = rest.subarray(taken)
      gathered = []
      gatheredBytes = 0
      wanted = size
    }
    if (rest.length === 0) continue
    gathered.push(rest)
    gatheredBytes += rest.length
  }
  if (gatheredBytes > 0) yield concatBytes(gathered)
}
