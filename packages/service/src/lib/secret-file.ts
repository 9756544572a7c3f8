import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname, resolve } from 'node:path'

const SECRET_BYTES = 32
/** Nobody but its owner reads it. */
const MODE = 0o600

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
  const folder = dirname(resolve(path))
  const firstMade = mkdirSync(folder, { recursive: true })
  const secret = randomBytes(SECRET_BYTES)
  const temporary = `${path}.new`
  rmSync(temporary, { force: true })
  const file = openSync(temporary, 'wx', MODE)
  try {
    writeSync(file, `${secret.toString('hex')}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(temporary, path)
  const last = firstMade === undefined ? folder : dirname(firstMade)
  for (let above = folder; ; above = dirname(above)) {
    syncFolder(above)
    if (above === last) return new Uint8Array(secret)
  }
}

/** The names in a folder survive power loss. */
function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
