import { appendFileSync, closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Did } from '@imago/syntax'
import type { BlobFile, BlobInventory } from './blob-inventory.ts'

/** Name of the folder in a data directory. */
export const QUARANTINE_FOLDER = 'quarantine'

type Row = Readonly<Record<string, unknown>>

/**
 * Where tools put what they take away: `quarantine/<time>/` in the data directory, with a line of JSON for each thing in
 * `manifest.jsonl`. Rows stand in the manifest itself, bytes in base64; files lie beside it. Made when the first thing
 * comes. Nothing here is ever read again by a program: it is for a person who misses something.
 */
export interface Quarantine extends Disposable {
  /** `undefined` while nothing has been put there. */
  readonly folder: string | undefined
  /** Writes rows down. They are safe when this returns, and may be deleted then. */
  addRows(table: string, rows: readonly object[], about: { did?: Did | undefined; reason: string }): void
  /** Moves a file of the blob store. */
  addFile(
    blobs: BlobInventory,
    file: BlobFile,
    about: { did?: Did | undefined; reason: string },
  ): Promise<void>
}

export function createQuarantine(dataDirectory: string, now: () => number): Quarantine {
  let opened: { folder: string; manifest: number } | undefined

  function open() {
    if (opened !== undefined) return opened
    const parent = join(dataDirectory, QUARANTINE_FOLDER)
    const folder = join(parent, new Date(now()).toISOString().replaceAll(':', ''))
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const manifest = openSync(join(folder, 'manifest.jsonl'), 'a', 0o600)
    for (const path of [folder, parent, dirname(parent)]) syncFolder(path)
    opened = { folder, manifest }
    return opened
  }

  function write(lines: readonly Row[]): void {
    const { manifest } = open()
    appendFileSync(manifest, lines.map((line) => `${JSON.stringify(line, bytesAsBase64)}\n`).join(''))
    fsyncSync(manifest)
  }

  return {
    get folder() {
      return opened?.folder
    },
    addRows(table, rows, about) {
      if (rows.length > 0) write(rows.map((row) => ({ what: 'row', table, ...about, row })))
    },
    async addFile(blobs, file, about) {
      const path = join(open().folder, 'blobs', file.name)
      // Announced first: after a crash there may be a line too many, never a file that nobody explains.
      write([{ what: 'file', name: file.name, size: file.size, ...about }])
      await blobs.take(file, path)
    },
    [Symbol.dispose]() {
      if (opened !== undefined) closeSync(opened.manifest)
    },
  }
}

const bytesAsBase64 = (_key: string, value: unknown) =>
  value instanceof Uint8Array ? { $bytes: value.toBase64() } : value

function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
