import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** Nobody but its owner reads it. */
const MODE = 0o600

/**
 * Writes a text file that only its owner reads, and makes the folders to it that are not there. It has all of the text or
 * is not there, and is durable on return, name and all: what is done with a key must not outlive the key.
 * @throws {Error} of the file system.
 */
export function writeDurably(path: string, text: string): void {
  const folder = dirname(resolve(path))
  const firstMade = mkdirSync(folder, { recursive: true })
  const temporary = `${path}.new`
  rmSync(temporary, { force: true })
  const file = openSync(temporary, 'wx', MODE)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(temporary, path)
  const last = firstMade === undefined ? folder : dirname(firstMade)
  for (let above = folder; ; above = dirname(above)) {
    syncFolder(above)
    if (above === last) return
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
