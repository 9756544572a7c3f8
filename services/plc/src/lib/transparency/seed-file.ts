import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

const SEED_BYTES = 32
/** Nobody but its owner reads it. */
const MODE = 0o600

/**
 * The secret of a log: 64 hexadecimal digits in a file, made at the first start.
 * @throws {Error} when the file holds anything else, or can be neither read nor made.
 */
export function readOrCreateSeed(path: string): Uint8Array {
  try {
    const text = readFileSync(path, 'utf8').trim()
    if (!/^[0-9a-f]{64}$/.test(text))
      throw new Error(`${path} does not hold the secret of a log: 64 hexadecimal digits are expected`)
    return Uint8Array.fromHex(text)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  mkdirSync(dirname(path), { recursive: true })
  const seed = randomBytes(SEED_BYTES)
  const file = openSync(path, 'wx', MODE)
  try {
    writeSync(file, `${seed.toString('hex')}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  return new Uint8Array(seed)
}
