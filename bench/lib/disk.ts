import { closeSync, fsyncSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { median } from './figure.ts'
import { formatFigure } from './row.ts'

/** Not the system's folder of temporary files: that is often no disk at all. */
const output = fileURLToPath(new URL('../../out', import.meta.url))
const WRITES = 50
const PAGE_BYTES = 4096

/** A folder on the disk that durable rows write to; gone on disposal. */
export function temporaryFolder(): { readonly path: string } & Disposable {
  mkdirSync(output, { recursive: true })
  const path = mkdtempSync(join(output, 'bench-'))
  const remove = () => rmSync(path, { recursive: true, force: true, maxRetries: 3 })
  process.once('exit', remove)
  return {
    path,
    [Symbol.dispose]() {
      process.off('exit', remove)
      remove()
    },
  }
}

/** What the disk itself takes to make one page durable: beside a durable row, it says how much of the figure is ours. */
export function fsyncNote(folder: string): string {
  const file = join(folder, 'fsync')
  const descriptor = openSync(file, 'w')
  try {
    const page = new Uint8Array(PAGE_BYTES)
    const figures = Array.from({ length: WRITES }, () => {
      const before = performance.now()
      writeSync(descriptor, page)
      fsyncSync(descriptor)
      return performance.now() - before
    })
    return `fsync of this disk ${formatFigure(median(figures), 'ms')}`
  } finally {
    closeSync(descriptor)
    rmSync(file)
  }
}
