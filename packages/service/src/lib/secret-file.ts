import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { writeDurably } from './durable-text.ts'

const SECRET_BYTES = 32

/**
 * A secret of 32 bytes that a service makes for itself at its first start: 64 hexadecimal digits in a file. It is durable
 * on return, name and all, or what is done with it (the key of a log) could outlive it.
 * @throws {Error} when the file holds anything else, or can be neither read nor made.
 */
export function readOrCreateSecret(path: string): Uint8Array {
  try {
    const text = readFileSync(path, 'utf8').trim()
    if (!/^[0-9a-f]{64}$/.test(text))
      throw new Error(`${path} does not hold a secret: 64 hexadecimal digits are expected`)
    return Uint8Array.fromHex(text)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const secret = randomBytes(SECRET_BYTES)
  writeDurably(path, `${secret.toString('hex')}\n`)
  return new Uint8Array(secret)
}
