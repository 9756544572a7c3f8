import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

const SECRET_BYTES = 32
/** Nobody but its owner reads it. */
const MODE = 0o600

/**
 * A secret of 32 bytes that a service makes for itself at its first start: 64 hexadecimal digits in a file.
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
  mkdirSync(dirname(path), { recursive: true })
  const secret = randomBytes(SECRET_BYTES)
  const file = openSync(path, 'wx', MODE)
  try {
    writeSync(file, `${secret.toString('hex')}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  return new Uint8Array(secret)
}
