import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  unlinkSync,
  writeSync,
  writevSync,
} from 'node:fs'
import { mkdir, open, rename, rmdir, unlink } from 'node:fs/promises'

/**
 * Which thread makes a call: the one on which the server runs, the one to which asynchronous file operations go, or one
 * that the server started for itself.
 */
export type Thread = (typeof THREADS)[number]

export const THREADS = ['main', 'pool', 'worker'] as const

/**
 * Calls of one kind that a thread makes before the work begins, without any effect. Strace counts the calls of each
 * thread for itself, and breaks whichever comes to the wanted number first: a head start makes that the thread that is
 * meant.
 */
export interface HeadStart {
  readonly thread: Thread
  readonly call: string
  readonly times: number
}

/** The variable by which the driver is told, as JSON. */
export const HEAD_START = 'FAULTS_HEAD_START'

const NOWHERE = '/dev/null'
const ABSENT = '/nonexistent/imago'
const BYTE = new Uint8Array(1)

/** What makes each call, in the thread that asks for it and in the pool. A call that fails is a call. */
const CALLS: Readonly<
  Record<
    string,
    { directly: (fd: number) => void; pool: (fd: Awaited<ReturnType<typeof open>>) => Promise<unknown> }
  >
> = {
  fsync: { directly: fsyncSync, pool: (file) => file.sync() },
  fdatasync: { directly: fdatasyncSync, pool: (file) => file.datasync() },
  pwrite64: { directly: (fd) => writeSync(fd, BYTE, 0, 1, 0), pool: (file) => file.write(BYTE, 0, 1, 0) },
  pwritev: {
    directly: (fd) => writevSync(fd, [BYTE, BYTE], 0),
    pool: (file) => file.writev([BYTE, BYTE], 0),
  },
  write: { directly: (fd) => writeSync(fd, BYTE), pool: (file) => file.write(BYTE) },
  writev: { directly: (fd) => writevSync(fd, [BYTE, BYTE]), pool: (file) => file.writev([BYTE, BYTE]) },
  ftruncate: { directly: (fd) => ftruncateSync(fd), pool: (file) => file.truncate() },
  mkdir: { directly: () => mkdirSync(ABSENT), pool: () => mkdir(ABSENT) },
  rmdir: { directly: () => rmdirSync(ABSENT), pool: () => rmdir(ABSENT) },
  unlink: { directly: () => unlinkSync(ABSENT), pool: () => unlink(ABSENT) },
  rename: { directly: () => renameSync(ABSENT, ABSENT), pool: () => rename(ABSENT, ABSENT) },
}

export const canHaveHeadStart = (call: string): boolean => call in CALLS

/**
 * Takes the head start that the environment asks for, if it does.
 * @param who asks: the process when it begins, or a thread that the server started.
 */
export async function takeHeadStart(who: 'process' | 'worker'): Promise<void> {
  const wanted = process.env[HEAD_START]
  if (wanted === undefined) return
  const { thread, call, times } = JSON.parse(wanted) as HeadStart
  if ((thread === 'worker') !== (who === 'worker')) return
  const calls = CALLS[call]
  if (calls === undefined) throw new Error(`no head start with ${call}: teach CALLS how to make it`)
  if (thread === 'pool') {
    await using file = await open(NOWHERE, 'w')
    for (let n = 0; n < times; n++) await calls.pool(file).catch(() => {})
    return
  }
  const fd = openSync(NOWHERE, 'w')
  for (let n = 0; n < times; n++) attempt(() => calls.directly(fd))
  closeSync(fd)
}

function attempt(work: () => void): void {
  try {
    work()
  } catch {
    // It was made, which is all that is asked of it.
  }
}
