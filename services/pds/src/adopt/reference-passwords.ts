import { DEFAULT_SCRYPT_COST, NO_PASSWORD } from '../accounts/password.ts'

// The reference keeps `salt:key`, both in hexadecimal, with Node's default cost; the salt is used as the text it is. Ours
// names the cost, and has salt and key as bytes in base64.
const { N, r, p } = DEFAULT_SCRYPT_COST
const PREFIX = `scrypt$${N}$${r}$${p}$`

/**
 * Our form of a password hash of the reference.
 * @throws {Error} when it is none.
 */
export function passwordFromReference(hash: string): string {
  const found = /^([^:]+):((?:[0-9a-f]{2})+)$/.exec(hash)
  if (found === null) throw new Error('a password hash is not of the form salt:key')
  const [, salt, key] = found
  return `${PREFIX}${Buffer.from(salt!).toString('base64')}$${Buffer.from(key!, 'hex').toString('base64')}`
}

/** The reference's form of a password hash of ours; `undefined` when it has none for it. */
export function passwordToReference(hash: string): string | undefined {
  if (hash === NO_PASSWORD || !hash.startsWith(PREFIX)) return undefined
  const [salt, key] = hash.slice(PREFIX.length).split('$')
  const text = Buffer.from(salt!, 'base64').toString()
  // A salt that is not text would be another one there.
  if (text.includes(':') || Buffer.from(text).toString('base64') !== salt) return undefined
  return `${text}:${Buffer.from(key!, 'base64').toString('hex')}`
}
