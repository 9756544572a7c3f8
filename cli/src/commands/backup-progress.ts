import type { BackupProgress } from '@imago/pds/backup'

const PARTS: Readonly<Record<BackupProgress['part'], string>> = {
  blobs: 'blobs looked at',
  snapshot: 'copying the database',
  database: 'chunks of the database',
  check: 'objects read back',
  restore: 'chunks and blobs restored',
  accounts: 'restored accounts checked',
}
const LINE_EVERY_MS = 5000
const REDRAW_EVERY_MS = 100

/** One line that is redrawn on a terminal; elsewhere a line for each part and one now and then. On the error stream. */
export function createBackupProgress(stream: NodeJS.WriteStream = process.stderr) {
  const isTerminal = stream.isTTY === true
  let part: BackupProgress['part'] | undefined
  let shownAt = 0
  let drawn = false
  return {
    show(progress: BackupProgress): void {
      const at = performance.now()
      const isNew = progress.part !== part
      const isEnd = isTerminal && progress.done === progress.total
      if (!isNew && !isEnd && at - shownAt < (isTerminal ? REDRAW_EVERY_MS : LINE_EVERY_MS)) return
      part = progress.part
      shownAt = at
      const { done, total } = progress
      const count = part === 'snapshot' ? '' : total === undefined ? `${done} ` : `${done} of ${total} `
      stream.write(isTerminal ? `\r\x1b[K${count}${PARTS[part]}` : `${count}${PARTS[part]}\n`)
      drawn = isTerminal
    },
    /** What is printed next begins on a line of its own. */
    clear(): void {
      if (drawn) stream.write('\r\x1b[K')
      drawn = false
    },
  }
}
