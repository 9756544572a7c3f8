import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { type Curve, importKeypair, type Keypair } from '@imago/crypto'
import { KeyFormError } from './key-error.ts'

const FORMAT = 'imago-key@v1'
/** Some 128 MiB and half a second: once for a person, dear for who tries all of them. */
const SCRYPT = { N: 2 ** 17, r: 8, p: 1 } as const
const MAX_MEMORY_BYTES = 256 * 1024 * 1024
const NONCE_BYTES = 12
const TAG_BYTES = 16
const MIN_PASSPHRASE_LENGTH = 12

/** A key in a file: its secret as it is, or under a passphrase. */
export interface KeyFile {
  readonly format: typeof FORMAT
  readonly curve: Curve
  readonly didKey: string
  /** Hexadecimal. */
  readonly secret?: string
  readonly protected?: {
    readonly kdf: 'scrypt'
    readonly N: number
    readonly r: number
    readonly p: number
    /** Base64, as the rest. AES-256-GCM; the tag stands behind the ciphertext, and `format` to `didKey` are bound by it. */
    readonly salt: string
    readonly nonce: string
    readonly ciphertext: string
  }
}

/**
 * The text of a key file.
 * @param cost of one guess at the passphrase.
 * @throws {KeyFormError} for a passphrase that is too short to protect anything.
 */
export async function writeKeyFile(
  keypair: Keypair,
  passphrase: string | undefined,
  cost: { readonly N: number; readonly r: number; readonly p: number } = SCRYPT,
): Promise<string> {
  const head = { format: FORMAT, curve: keypair.curve, didKey: keypair.didKey } as const
  const secret = keypair.exportSecret()
  if (passphrase === undefined) return serialize({ ...head, secret: secret.toHex() })
  if (passphrase.length < MIN_PASSPHRASE_LENGTH)
    throw new KeyFormError(
      `a passphrase of ${passphrase.length} characters can be guessed: take at least ${MIN_PASSPHRASE_LENGTH}`,
    )
  const salt = randomBytes(16)
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', await derive(passphrase, salt, cost), nonce)
  cipher.setAAD(boundData(head))
  const ciphertext = Buffer.concat([cipher.update(secret), cipher.final(), cipher.getAuthTag()])
  return serialize({
    ...head,
    protected: {
      kdf: 'scrypt',
      ...cost,
      salt: salt.toString('base64'),
      nonce: nonce.toString('base64'),
      ciphertext: ciphertext.toString('base64'),
    },
  })
}

/** What a file says of its key without the passphrase. @throws {KeyFormError} */
export function parseKeyFile(text: string): KeyFile {
  let file: KeyFile
  try {
    file = JSON.parse(text)
  } catch {
    throw new KeyFormError('the file is not JSON')
  }
  const { format, curve, didKey, secret, protected: box } = file ?? {}
  const isKey =
    format === FORMAT &&
    (curve === 'p256' || curve === 'k256') &&
    typeof didKey === 'string' &&
    (typeof secret === 'string') !== (typeof box === 'object' && box !== null)
  if (!isKey) throw new KeyFormError(`the file is not a key of the format ${FORMAT}`)
  return file
}

/** @throws {KeyFormError} when the passphrase is missing or wrong, or the file was changed. */
export async function openKeyFile(file: KeyFile, passphrase: string | undefined): Promise<Keypair> {
  const keypair = importKeypair(
    file.curve,
    file.secret === undefined ? await unlock(file, passphrase) : fromHex(file.secret),
  )
  if (keypair.didKey !== file.didKey)
    throw new KeyFormError(`the secret is of ${keypair.didKey}, and the file says ${file.didKey}`)
  return keypair
}

async function unlock(file: KeyFile, passphrase: string | undefined): Promise<Uint8Array> {
  const box = file.protected!
  if (passphrase === undefined)
    throw new KeyFormError(
      'the key is protected by a passphrase: give --passphrase-file, or set KEY_PASSPHRASE',
    )
  const bounded = box.N <= 2 ** 20 && box.r <= 16 && box.p <= 4
  if (box.kdf !== 'scrypt' || !bounded)
    throw new KeyFormError('the file asks for another or a dearer derivation than is done here')
  const sealed = Buffer.from(box.ciphertext, 'base64')
  const key = await derive(passphrase, Buffer.from(box.salt, 'base64'), box)
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(box.nonce, 'base64'))
  decipher.setAAD(boundData(file))
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
  try {
    return new Uint8Array(Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]))
  } catch {
    throw new KeyFormError('the passphrase is wrong, or the file was changed')
  }
}

function derive(
  passphrase: string,
  salt: Uint8Array,
  { N, r, p }: { N: number; r: number; p: number },
): Promise<Buffer> {
  const run = promisify(scrypt) as (
    password: string,
    salt: Uint8Array,
    length: number,
    options: object,
  ) => Promise<Buffer>
  return run(passphrase.normalize('NFKC'), salt, 32, { N, r, p, maxmem: MAX_MEMORY_BYTES })
}

const boundData = ({ format, curve, didKey }: Pick<KeyFile, 'format' | 'curve' | 'didKey'>): Buffer =>
  Buffer.from(`${format}\n${curve}\n${didKey}`)

const serialize = (file: KeyFile): string => `${JSON.stringify(file, null, 2)}\n`

function fromHex(text: string): Uint8Array {
  if (!/^[0-9a-f]{64}$/i.test(text))
    throw new KeyFormError('the secret in the file is not 64 hexadecimal digits')
  return Uint8Array.fromHex(text)
}
