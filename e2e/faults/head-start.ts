import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  openSync,
  renameSync,
  unlinkSync,
  writeSync,
  writevSync,
} from 'node:fs'
import { open, rename, unlink } from 'node:fs/promises'

/** Which thread makes a call: the one that runs JavaScript, or the one to which asynchronous file operations go. */
export type Thread = 'main' | 'pool'

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

/** What makes each call, in either thread. A call that fails is a call. */
const CALLS: Readonly<
  Record<
    string,
    { main: (fd: number) => void; pool: (fd: Awaited<ReturnType<typeof open>>) => Promise<unknown> }
  >
> = {
  fsync: { main: fsyncSync, pool: (file) => file.sync() },
  fdatasync: { main: fdatasyncSync, pool: (file) => file.datasync() },
  pwrite64: { main: (fd) => writeSync(fd, BYTE, 0, 1, 0), pool: (file) => file.write(BYTE, 0, 1, 0) },
  pwritev: { main: (fd) => writevSync(fd, [BYTE, BYTE], 0), pool: (file) => file.writev([BYTE, BYTE], 0) },
  write: { main: (fd) => writeSync(fd, BYTE), pool: (file) => file.write(BYTE) },
  writev: { main: (fd) => writevSync(fd, [BYTE, BYTE]), pool: (file) => file.writev([BYTE, BYTE]) },
  unlink: { main: () => unlinkSync(ABSENT), pool: () => unlink(ABSENT) },
  rename: { main: () => renameSync(ABSENT, ABSENT), pool: () => rename(ABSENT, ABSENT) },
}

export const canHaveHeadStart = (call: string): boolean => call in CALLS

/** Takes the head start that the environment asks for, if it does. */
export async function takeHeadStart(): Promise<void> {
  const wanted = process.env[HEAD_START]
  if (wanted === undefined) return
  const { thread, call, times } = JSON.parse(wanted) as HeadStart
  const calls = CALLS[call]
  if (calls === undefined) throw new Error(`no head start with ${call}: teach CALLS how to make it`)
  if (thread === 'main') {
    const fd = openSync(NOWHERE, 'w')
    for (let n = 0; n < times; n++) attempt(() => calls.main(fd))
    closeSync(fd)
    return
  }
  await using file = await open(NOWHERE, 'w')
  for (let n = 0; n < times; n++) await calls.pool(file).catch(() => {})
}

function attempt(work: () => void): void {
  try {
    work()
  } catch {
    // It was made, which is all that is asked of it.
  }
}
