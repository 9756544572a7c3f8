import { concatBytes, equalBytes } from '@imago/data'
import { sha256 } from '@imago/data/sha256'
import { ed25519, mlDsa44 } from '#signatures'
import { decodeBase64, encodeBase64 } from './lib/base64.ts'
import { cosignedMessage } from './lib/cosigned-message.ts'
import type { SignatureBackend } from './lib/signature-backend.ts'
import { KEY_ID_BYTES, type NoteSigner, type NoteVerifier } from './signed-note.ts'
import { TlogError } from './tlog-error.ts'

/**
 * What a key signs and how: `ed25519` a note's text as it is; the others a checkpoint together with the time, which
 * stands before their signatures.
 */
export type NoteKeyType = 'ed25519' | 'ed25519-cosignature' | 'ml-dsa-44-cosignature'

interface KeyType {
  readonly type: NoteKeyType
  /** As registered. @see https://c2sp.org/signed-note#signature-types */
  readonly identifier: number
  readonly backend: SignatureBackend
  readonly publicKeyBytes: number
  readonly signatureBytes: number
}

const KEY_TYPES: readonly KeyType[] = [
  { type: 'ed25519', identifier: 1, backend: ed25519, publicKeyBytes: 32, signatureBytes: 64 },
  { type: 'ed25519-cosignature', identifier: 4, backend: ed25519, publicKeyBytes: 32, signatureBytes: 64 },
  {
    type: 'ml-dsa-44-cosignature',
    identifier: 6,
    backend: mlDsa44,
    publicKeyBytes: 1312,
    signatureBytes: 2420,
  },
]

const SEED_BYTES = 32
const TIME_BYTES = 8
const NAME = /^[^\s+]+$/u

/** A key that is known by its verifier key. */
export interface NoteKey extends NoteVerifier {
  readonly type: NoteKeyType
  readonly publicKey: Uint8Array
  /** `name+identifier+key`, as it stands in policies. @see https://c2sp.org/signed-note#verifier-keys */
  readonly vkey: string
  /** When a cosignature says it was made, in seconds since the Unix epoch; `undefined` for a signature without a time. */
  timeOf(signature: Uint8Array): number | undefined
}

/** A key to sign with. */
export interface NoteSigningKey extends NoteSigner {
  /** What others know of it. */
  readonly verifier: NoteKey
}

/**
 * @param vkey `name+identifier+key`.
 * @throws {TlogError} `InvalidKey`
 */
export function parseVkey(vkey: string): NoteKey {
  // Base64 may hold a plus itself.
  const [, name, id, base64] = /^([^\s+]+)\+([0-9a-f]{8})\+(\S+)$/u.exec(vkey) ?? []
  const typed = base64 === undefined ? undefined : decodeBase64(base64)
  if (name === undefined || typed === undefined || typed.length === 0)
    throw invalid(vkey, 'it is not a name, eight hexadecimal digits and a key, joined by +')
  const keyType = KEY_TYPES.find(({ identifier }) => identifier === typed[0])
  if (keyType === undefined) throw invalid(vkey, `signature type ${typed[0]} is not known here`)
  const key = createNoteKey(name, keyType, typed.subarray(1))
  if (key === undefined) throw invalid(vkey, `its key is not a public key of ${keyType.type}`)
  if (key.keyId.toHex() !== id) throw invalid(vkey, `its identifier should be ${key.keyId.toHex()}`)
  return key
}

/**
 * A key of our own. The same seed gives the same key.
 * @param seed 32 bytes. Never use one seed with two names: Ed25519 cosignatures do not say who made them.
 * @param now for cosignatures: seconds since the Unix epoch.
 * @throws {TlogError} `InvalidKey` for a name with spaces or `+`, or a seed of another length.
 */
export function createSigningKey(
  name: string,
  type: NoteKeyType,
  seed: Uint8Array,
  now: () => number = () => Math.floor(Date.now() / 1000),
): NoteSigningKey {
  if (!NAME.test(name)) throw invalid(name, 'a name has at least one character, and neither spaces nor +')
  if (seed.length !== SEED_BYTES) throw invalid(name, `its seed has ${seed.length} bytes, not ${SEED_BYTES}`)
  const keyType = KEY_TYPES.find((candidate) => candidate.type === type)!
  const secret = keyType.backend.openSecretKey(seed)
  const verifier = createNoteKey(name, keyType, secret.publicKey)!
  return {
    name,
    keyId: verifier.keyId,
    verifier,
    sign(text) {
      if (type === 'ed25519') return secret.sign(encoder.encode(text))
      const time = now()
      return concatBytes([bigEndian(time), secret.sign(cosignedMessage(type, name, time, text))])
    },
  }
}

function createNoteKey(name: string, keyType: KeyType, publicKey: Uint8Array): NoteKey | undefined {
  const { type, identifier, backend, publicKeyBytes, signatureBytes } = keyType
  const verifies = publicKey.length === publicKeyBytes ? backend.openPublicKey(publicKey) : undefined
  if (verifies === undefined) return undefined
  const typed = concatBytes([Uint8Array.of(identifier), publicKey])
  const keyId = sha256(concatBytes([encoder.encode(`${name}\n`), typed])).subarray(0, KEY_ID_BYTES)
  const isTimed = type !== 'ed25519'
  const timeOf = (signature: Uint8Array) =>
    isTimed && signature.length === TIME_BYTES + signatureBytes ? timeBefore(signature) : undefined
  return {
    name,
    type,
    keyId,
    publicKey,
    vkey: `${name}+${keyId.toHex()}+${encodeBase64(typed)}`,
    timeOf,
    verify(text, signature) {
      if (type === 'ed25519')
        return signature.length === signatureBytes && verifies(encoder.encode(text), signature)
      const time = timeOf(signature)
      if (time === undefined) return false
      const message = tryMessage(type, name, time, text)
      return message !== undefined && verifies(message, signature.subarray(TIME_BYTES))
    },
  }
}

/** A text that is no checkpoint cannot have been cosigned. */
function tryMessage(type: Exclude<NoteKeyType, 'ed25519'>, name: string, time: number, text: string) {
  try {
    return cosignedMessage(type, name, time, text)
  } catch (error) {
    if (error instanceof TlogError) return undefined
    throw error
  }
}

/** Seconds; `undefined` beyond what JavaScript counts exactly, which is no time of ours. */
function timeBefore(signature: Uint8Array): number | undefined {
  const time = new DataView(signature.buffer, signature.byteOffset).getBigUint64(0)
  return time <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(time) : undefined
}

function bigEndian(time: number): Uint8Array {
  const bytes = new Uint8Array(TIME_BYTES)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(time))
  return bytes
}

/** Whether two keys are the same, whatever they are called. */
export const isSameKey = (a: NoteKey, b: NoteKey): boolean => equalBytes(a.publicKey, b.publicKey)

const encoder = new TextEncoder()

const invalid = (what: string, why: string) =>
  new TlogError('InvalidKey', `${what.slice(0, 200)} is not a key: ${why}`)
