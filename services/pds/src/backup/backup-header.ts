import { createCipheriv, createDecipheriv, hkdfSync, type ScryptOptions, scrypt } from 'node:crypto'
import { concatBytes } from '@imago/data'
import { BackupError } from './backup-error.ts'
import { DATA_KEY_BYTES } from './backup-keys.ts'

/** Where a repository says what it is, and holds its data key for whoever can unwrap it. */
export const HEADER_KEY = 'imago-backup.json'

/** What opens a repository. With `none`, whoever can read the store can read everything in it. */
export type BackupSecret =
  | { readonly kind: 'passphrase'; readonly passphrase: string }
  /** At least 32 bytes that nobody can guess. */
  | { readonly kind: 'keyFile'; readonly key: Uint8Array }
  | { readonly kind: 'none' }

/** What unwrapping by a passphrase costs: N·r·128 bytes of memory. */
export interface KdfCost {
  readonly N: number
  readonly r: number
  readonly p: number
}

export const DEFAULT_KDF_COST: KdfCost = { N: 2 ** 17, r: 8, p: 1 }
const MAX_KDF_BYTES = 1024 ** 3
const MIN_KEY_FILE_BYTES = 32
const NONCE_BYTES = 12
const SALT_BYTES = 16
const TAG_BYTES = 16
const VERSION = 1

interface Header {
  readonly format: 'imago-backup'
  readonly version: typeof VERSION
  /** Tells repositories apart. */
  readonly id: string
  readonly protection: BackupSecret['kind']
  /** Of the passphrase. */
  readonly scrypt?: KdfCost
  /** Hexadecimal, as all that follow. */
  readonly salt?: string
  readonly nonce?: string
  /** The data key: encrypted, or as it is where nothing protects it. */
  readonly dataKey: string
}

export interface OpenedHeader {
  readonly id: string
  readonly protection: BackupSecret['kind']
  readonly dataKey: Uint8Array
}

/** A new repository: a random data key, wrapped by the secret. */
export async function createHeader(
  secret: BackupSecret,
  randomBytes: (length: number) => Uint8Array,
  cost: KdfCost = DEFAULT_KDF_COST,
): Promise<{ opened: OpenedHeader; text: string }> {
  const id = randomBytes(8).toHex()
  const dataKey = randomBytes(DATA_KEY_BYTES)
  const base = { format: 'imago-backup', version: VERSION, id, protection: secret.kind } as const
  const header: Header =
    secret.kind === 'none' ? { ...base, dataKey: dataKey.toHex() } : await wrap(base, secret)
  return { opened: { id, protection: secret.kind, dataKey }, text: `${JSON.stringify(header, null, 2)}\n` }

  async function wrap(
    fields: typeof base,
    wrapping: Exclude<BackupSecret, { kind: 'none' }>,
  ): Promise<Header> {
    const salt = randomBytes(SALT_BYTES)
    const nonce = randomBytes(NONCE_BYTES)
    const key = await wrappingKey(wrapping, salt, cost)
    const cipher = createCipheriv('aes-256-gcm', key, nonce)
    cipher.setAAD(boundFields(fields))
    const wrapped = concatBytes([cipher.update(dataKey), cipher.final(), cipher.getAuthTag()])
    return {
      ...fields,
      ...(wrapping.kind === 'passphrase' && { scrypt: cost }),
      salt: salt.toHex(),
      nonce: nonce.toHex(),
      dataKey: wrapped.toHex(),
    }
  }
}

/**
 * The data key of a repository.
 * @throws {BackupError} `NotARepository`, `TooNew`; `WrongKey` also when the header was changed.
 */
export async function openHeader(text: string, secret: BackupSecret): Promise<OpenedHeader> {
  const header = parseHeader(text)
  const { id, protection } = header
  if (secret.kind !== protection)
    throw new BackupError(
      'WrongKey',
      `the repository ${id} is ${PROTECTED[protection]}, and ${GIVEN[secret.kind]}`,
      { key: HEADER_KEY },
    )
  if (secret.kind === 'none') return { id, protection, dataKey: Uint8Array.fromHex(header.dataKey) }
  const key = await wrappingKey(secret, Uint8Array.fromHex(header.salt!), header.scrypt)
  const wrapped = Uint8Array.fromHex(header.dataKey)
  const decipher = createDecipheriv('aes-256-gcm', key, Uint8Array.fromHex(header.nonce!))
  decipher.setAAD(boundFields(header))
  decipher.setAuthTag(wrapped.subarray(-TAG_BYTES))
  try {
    const dataKey = concatBytes([decipher.update(wrapped.subarray(0, -TAG_BYTES)), decipher.final()])
    return { id, protection, dataKey }
  } catch (cause) {
    throw new BackupError(
      'WrongKey',
      `this ${NAMES[secret.kind]} does not open the repository ${id} (or its ${HEADER_KEY} was changed): give the one that its first backup was made with`,
      { key: HEADER_KEY, cause },
    )
  }
}

const NAMES = { passphrase: 'passphrase', keyFile: 'key file' } as const
const PROTECTED = {
  passphrase: 'protected by a passphrase',
  keyFile: 'protected by a key file',
  none: 'not encrypted',
} as const
const GIVEN = {
  passphrase: 'a passphrase was given',
  keyFile: 'a key file was given',
  none: 'neither passphrase nor key file was given',
} as const

/** What the wrapping vouches for beside the key. */
const boundFields = ({ format, version, id, protection }: Omit<Header, 'dataKey'>) =>
  new TextEncoder().encode(JSON.stringify([format, version, id, protection]))

function parseHeader(text: string): Header {
  let header: Partial<Header>
  try {
    header = JSON.parse(text)
  } catch {
    throw notARepository()
  }
  if (header?.format !== 'imago-backup') throw notARepository()
  if (header.version !== VERSION)
    throw new BackupError(
      'TooNew',
      `the repository has format ${header.version}, and this version of the program knows ${VERSION}: use the one that wrote it`,
      { key: HEADER_KEY },
    )
  const isHex = (value: unknown, bytes: number) =>
    typeof value === 'string' && value.length === 2 * bytes && /^[0-9a-f]*$/.test(value)
  const isWrapped = header.protection === 'passphrase' || header.protection === 'keyFile'
  const fits =
    isHex(header.id, 8) &&
    (isWrapped || header.protection === 'none') &&
    isHex(header.dataKey, DATA_KEY_BYTES + (isWrapped ? TAG_BYTES : 0)) &&
    (!isWrapped || (isHex(header.salt, SALT_BYTES) && isHex(header.nonce, NONCE_BYTES))) &&
    (header.protection !== 'passphrase' || isCost(header.scrypt))
  if (!fits)
    throw new BackupError('Damaged', `${HEADER_KEY} is damaged: put it back from a copy`, { key: HEADER_KEY })
  return header as Header
}

/** A header is read before anything is trusted: it must not make us spend all memory. */
function isCost(cost: Partial<KdfCost> | undefined): boolean {
  const { N = 0, r = 0, p = 0 } = cost ?? {}
  const isPower = Number.isSafeInteger(N) && N > 1 && N <= 2 ** 26 && (N & (N - 1)) === 0
  return isPower && r > 0 && p > 0 && p <= 16 && Number.isSafeInteger(r * p) && 128 * N * r <= MAX_KDF_BYTES
}

function notARepository(): BackupError {
  return new BackupError('NotARepository', `${HEADER_KEY} there is not a repository of backups`, {
    key: HEADER_KEY,
  })
}

async function wrappingKey(
  secret: Exclude<BackupSecret, { kind: 'none' }>,
  salt: Uint8Array,
  cost: KdfCost = DEFAULT_KDF_COST,
): Promise<Uint8Array> {
  if (secret.kind === 'passphrase') {
    const options = { ...cost, maxmem: 2 * MAX_KDF_BYTES }
    return scryptOf(secret.passphrase.normalize('NFKC'), salt, options)
  }
  if (secret.key.length < MIN_KEY_FILE_BYTES)
    throw new BackupError(
      'WrongKey',
      `the key file holds ${secret.key.length} bytes, and at least ${MIN_KEY_FILE_BYTES} are needed: make one by openssl rand -hex 32`,
    )
  return new Uint8Array(hkdfSync('sha256', secret.key, salt, 'imago backup key file', DATA_KEY_BYTES))
}

const scryptOf = (passphrase: string, salt: Uint8Array, options: ScryptOptions) =>
  new Promise<Uint8Array>((resolve, reject) =>
    scrypt(passphrase, salt, DATA_KEY_BYTES, options, (error, key) => (error ? reject(error) : resolve(key))),
  )
