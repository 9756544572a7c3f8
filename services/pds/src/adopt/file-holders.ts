import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'

/** Whether this system tells who has a file open. Others than Linux do not, without help. */
export const canTellHolders = existsSync('/proc/self/fd')

/**
 * Another process that has the file open, or holds a lock on it; `undefined` when there is none, or when that cannot be
 * told here ({@link canTellHolders}). Of processes of other users only locks are seen, unless root asks.
 */
export function holderOf(path: string): { readonly pid: number } | undefined {
  if (!canTellHolders || !existsSync(path)) return undefined
  const { dev, ino } = statSync(path)
  return lockHolder(dev, ino) ?? openHolder(dev, ino)
}

/** A line of /proc/locks: `1: POSIX  ADVISORY  READ 30651 fe:00:10002921 128 128`. */
const LOCK = /^\d+: +(?:-> )?\S+ +\S+ +\S+ +(\d+) +([0-9a-f]+):([0-9a-f]+):(\d+) /

function lockHolder(dev: number, ino: number): { pid: number } | undefined {
  const [major, minor] = [(dev >>> 8) & 0xfff, (dev & 0xff) | ((dev >>> 12) & 0xfff00)]
  for (const line of lines('/proc/locks')) {
    const found = LOCK.exec(line)
    if (found === null) continue
    const [, pid, lockMajor, lockMinor, lockIno] = found
    if (Number(lockIno) !== ino || Number(pid) === process.pid) continue
    if (Number.parseInt(lockMajor!, 16) === major && Number.parseInt(lockMinor!, 16) === minor)
      return { pid: Number(pid) }
  }
  return undefined
}

function openHolder(dev: number, ino: number): { pid: number } | undefined {
  for (const name of names('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue
    for (const fd of names(`/proc/${name}/fd`)) {
      const stats = quietly(() => statSync(`/proc/${name}/fd/${fd}`), undefined)
      if (stats?.ino === ino && stats.dev === dev) return { pid: Number(name) }
    }
  }
  return undefined
}

const lines = (path: string) => quietly(() => readFileSync(path, 'utf8').split('\n'), [])

const names = (path: string) => quietly(() => readdirSync(path), [])

/** Processes end while we look, and those of others do not let us. */
function quietly<T, Otherwise>(look: () => T, otherwise: Otherwise): T | Otherwise {
  try {
    return look()
  } catch {
    return otherwise
  }
}
