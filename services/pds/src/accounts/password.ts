import { scrypt, timingSafeEqual } from 'node:crypto'
import { createSlots } from '@imago/service'

/** What one hash costs: N iterations (a power of two), block size r, p lanes. Memory is 128·N·r bytes. */
export interface ScryptCost {
  readonly N: number
  readonly r: number
  readonly p: number
}

export const DEFAULT_SCRYPT_COST: ScryptCost = { N: 16384, r: 8, p: 1 }
/** Longest password of a new account, in UTF-16 code units. */
export const MAX_NEW_PASSWORD_LENGTH = 256
/** Longest password that is hashed at sign-in: a bound on the work that a stranger can ask for. */
export const MAX_LOGIN_PASSWORD_LENGTH = 512

const SALT_BYTES = 16
const KEY_BYTES = 64
/** Hashes that are worked out at a time: each holds 16 MB, and threads that once had it keep much of it. */
const MAX_PARALLEL = 2

/** Stands where a hash would, for an account that no password opens. */
export const NO_PASSWORD = '!'

/** Hashes and checks passwords off the main thread. */
export interface Passwords {
  /** `scrypt$N$r$p$salt$key`, the last two in base64: a hash says itself how it was made, so the cost can be raised later. */
  hash(password: string): Promise<string>
  /**
   * Whether the password belongs to the hash. Without a hash (unknown user) it does the same work and answers `false`,
   * so that time does not tell which accounts exist.
   */
  verify(password: string, hash: string | undefined): Promise<boolean>
  /**
   * Which of the hashes the password belongs to, by its place; `undefined` when to none. Hashes with one salt cost one
   * derivation together, and no hash at all costs as much.
   */
  find(password: string, hashes: readonly string[]): Promise<number | undefined>
}

export function createPasswords(options: {
  randomBytes: (length: number) => Uint8Array
  cost?: ScryptCost
}): Passwords {
  const { randomBytes, cost = DEFAULT_SCRYPT_COST } = options
  const slots = createSlots(MAX_PARALLEL)
  const derive = (password: string, salt: Uint8Array, cost: ScryptCost) =>
    slots.run(() => deriveKey(password, salt, cost))
  const decoy = { cost, salt: randomBytes(SALT_BYTES), key: randomBytes(KEY_BYTES) }
  return {
    async hash(password) {
      // Of text, as the reference's: so that a hash made here can be handed back to it.
      const salt = Buffer.from(randomBytes(SALT_BYTES).toHex())
      const key = await derive(password, salt, cost)
      return ['scrypt', cost.N, cost.r, cost.p, salt.toBase64(), key.toBase64()].join('$')
    },
    async verify(password, hash) {
      const expected = hash === undefined || hash === NO_PASSWORD ? undefined : parse(hash)
      const { salt, cost, key } = expected ?? decoy
      return timingSafeEqual(await derive(password, salt, cost), key) && expected !== undefined
    },
    async find(password, hashes) {
      if (hashes.length === 0) await derive(password, decoy.salt, decoy.cost)
      const derived = new Map<string, Uint8Array>()
      for (const [index, hash] of hashes.entries()) {
        const { salt, cost, key } = parse(hash)
        const made = hash.slice(0, hash.lastIndexOf('$'))
        const known = derived.get(made) ?? (await derive(password, salt, cost))
        derived.set(made, known)
        if (timingSafeEqual(known, key)) return index
      }
      return undefined
    },
  }
}

function parse(hash: string): { cost: ScryptCost; salt: Uint8Array; key: Uint8Array } {
  const [scheme, N, r, p, salt, key] = hash.split('$')
  if (scheme !== 'scrypt' || salt === undefined || key === undefined)
    throw new Error(`a stored password hash has the unknown scheme ${JSON.stringify(scheme)}`)
  return {
    cost: { N: Number(N), r: Number(r), p: Number(p) },
    salt: Uint8Array.fromBase64(salt),
    key: Uint8Array.fromBase64(key),
  }
}

function deriveKey(password: string, salt: Uint8Array, { N, r, p }: ScryptCost): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
  // Node's own bound on memory is just what the default cost needs; a stored hash may have been made with more.
  const maxmem = 128 * N * r + 2 * 1024 * 1024
  scrypt(password, salt, KEY_BYTES, { N, r, p, maxmem }, (error, key) =>
    error ? reject(error) : resolve(key),
  )
  return promise
}
