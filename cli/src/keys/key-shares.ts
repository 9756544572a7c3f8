import { type Curve, importKeypair, type Keypair } from '@imago/crypto'
import { concatBytes, equalBytes } from '@imago/data'
import { fromBase32, toBase32 } from '@imago/data/multibase'
import { sha256 } from '@imago/data/sha256'
import { combine, split } from 'shamir-secret-sharing'
import { KeyFormError } from './key-error.ts'

const PREFIX = 'imago-share-1'
const CHECKSUM_BYTES = 4
const KEY_ID_BYTES = 4

/** One of several parts of a key: fewer than the threshold say nothing about it. */
interface Share {
  readonly curve: Curve
  readonly threshold: number
  /** First bytes of the hash of the public key: tells shares of different keys apart. */
  readonly keyId: Uint8Array
  readonly bytes: Uint8Array
}

/**
 * Splits a key. @param shares 2 to 16. @param threshold how many of them make the key again: 2 at least.
 * @returns one line of text each: `imago-share-1 p256 2 <id> <share>`.
 */
export async function splitKey(
  keypair: Keypair,
  shares: number,
  threshold: number,
): Promise<readonly string[]> {
  const parts = await split(keypair.exportSecret(), shares, threshold)
  const keyId = keyIdOf(keypair)
  return parts.map((bytes) =>
    formatShare({ curve: keypair.curve, threshold, keyId, bytes: new Uint8Array(bytes) }),
  )
}

/** @throws {KeyFormError} when they are too few, of different keys, or mistyped. */
export async function combineShares(lines: readonly string[]): Promise<Keypair> {
  const shares = lines.map(parseShare)
  const [first] = shares
  if (first === undefined) throw new KeyFormError('there is no share')
  for (const [i, share] of shares.entries()) {
    if (!equalBytes(share.keyId, first.keyId))
      throw new KeyFormError(`share ${i + 1} is of another key than share 1`)
    if (shares.slice(0, i).some((other) => equalBytes(other.bytes, share.bytes)))
      throw new KeyFormError(`share ${i + 1} stands here twice`)
  }
  if (shares.length < first.threshold)
    throw new KeyFormError(`${first.threshold} shares make the key, and here are ${shares.length}`)
  const keypair = importKeypair(first.curve, await combine(shares.map(({ bytes }) => bytes)))
  if (!equalBytes(keyIdOf(keypair), first.keyId))
    throw new KeyFormError('the shares do not make the key that they are of: one of them was changed')
  return keypair
}

const keyIdOf = ({ didKey }: Keypair): Uint8Array =>
  sha256(new TextEncoder().encode(didKey)).subarray(0, KEY_ID_BYTES)

function formatShare({ curve, threshold, keyId, bytes }: Share): string {
  const head = `${PREFIX} ${curve} ${threshold} ${keyId.toHex()}`
  return `${head} ${toBase32(concatBytes([bytes, checksumOf(head, bytes)]))}`
}

function parseShare(line: string, index: number): Share {
  const match = /^imago-share-1 (p256|k256) ([2-9]|1[0-6]) ([0-9a-f]{8}) ([a-z2-7]+)$/.exec(
    line.trim().toLowerCase().replace(/\s+/g, ' '),
  )
  if (match === null) throw new KeyFormError(`line ${index + 1} is not a share: it begins with ${PREFIX}`)
  const [, curve, threshold, keyId, text] = match as unknown as [string, Curve, string, string, string]
  let all: Uint8Array
  try {
    all = fromBase32(text)
  } catch {
    throw new KeyFormError(`share ${index + 1} was mistyped`)
  }
  const bytes = all.subarray(0, -CHECKSUM_BYTES)
  const head = `${PREFIX} ${curve} ${threshold} ${keyId}`
  if (!equalBytes(all.subarray(-CHECKSUM_BYTES), checksumOf(head, bytes)))
    throw new KeyFormError(`share ${index + 1} was mistyped: its checksum does not fit`)
  return { curve, threshold: Number(threshold), keyId: Uint8Array.fromHex(keyId), bytes }
}

const checksumOf = (head: string, bytes: Uint8Array): Uint8Array =>
  sha256(concatBytes([new TextEncoder().encode(head), bytes])).subarray(0, CHECKSUM_BYTES)
