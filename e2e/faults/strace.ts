import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { HEAD_START, type HeadStart } from './head-start.ts'
import { type Finished, runDriver } from './run-driver.ts'

/** Why no fault can be injected here; `undefined` where it can. */
export const straceMissing =
  spawnSync('strace', ['-V']).status === 0
    ? undefined
    : 'strace is not on this machine: it breaks the system calls of a real process'

const MAKE_DURABLE = ['fsync', 'fdatasync']
const NAME = ['rename', 'renameat', 'renameat2', 'link', 'linkat']
const UNNAME = ['unlink', 'unlinkat', 'rmdir']
const MAKE_FOLDER = ['mkdir', 'mkdirat']
const WRITE = ['pwrite64', 'pwritev', 'write', 'writev']
const CUT = ['ftruncate']

/** A way to break a system call, and the calls that it can befall. */
export const CALL_FAULTS = {
  kill: { inject: 'signal=SIGKILL', calls: [...MAKE_DURABLE, ...NAME, ...UNNAME] },
  /** A kill as well, in the middle of a transaction. */
  tear: { inject: 'signal=SIGKILL', calls: WRITE },
  ENOSPC: { inject: 'error=ENOSPC', calls: [...WRITE, ...MAKE_DURABLE, ...MAKE_FOLDER] },
  EIO: {
    inject: 'error=EIO',
    calls: [...WRITE, ...CUT, ...MAKE_DURABLE, ...NAME, ...UNNAME, ...MAKE_FOLDER],
  },
} as const satisfies Record<string, { inject: string; calls: readonly string[] }>

export type CallFault = keyof typeof CALL_FAULTS

/** After which nothing more comes. */
export const KILLS: readonly CallFault[] = ['kill', 'tear']

/** A system call of the log. */
export interface Call {
  /** Thread id. */
  readonly thread: number
  readonly name: string
  /** It was this thread's n-th of that name, from 1. */
  readonly n: number
  /** As strace wrote it. */
  readonly text: string
}

export interface TracedRun extends Finished {
  readonly calls: readonly Call[]
}

export interface TraceOptions {
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Where strace writes its log. */
  readonly log: string
  readonly calls: readonly string[]
  readonly headStart?: HeadStart | undefined
  /** Breaks the n-th such call of whichever thread comes to it first. */
  readonly inject?: { readonly fault: CallFault; readonly call: string; readonly n: number } | undefined
}

/** Runs a Node program under strace to its end. */
export async function runTraced(options: TraceOptions): Promise<TracedRun> {
  const { command, env, log, calls, headStart, inject } = options
  const isKill = inject !== undefined && KILLS.includes(inject.fault)
  const args = [
    '-f',
    '-qq',
    '-y',
    ...['-s', '0'],
    ...['-o', log],
    ...['-e', `trace=${calls.join(',')}`],
    // Faster, but signals do not come through.
    ...(isKill ? [] : ['--seccomp-bpf']),
    ...(inject === undefined
      ? []
      : ['-e', `inject=${inject.call}:${CALL_FAULTS[inject.fault].inject}:when=${inject.n}`]),
    process.execPath,
    ...command,
  ]
  const finished = await runDriver(['strace', ...args], {
    ...env,
    // One thread for file operations: their order is the same in every run.
    UV_THREADPOOL_SIZE: '1',
    ...(headStart !== undefined && { [HEAD_START]: JSON.stringify(headStart) }),
  })
  return { ...finished, calls: callsOf(readFileSync(log, 'utf8')) }
}

function callsOf(log: string): Call[] {
  const counts = new Map<string, number>()
  const calls: { -readonly [Key in keyof Call]: Call[Key] }[] = []
  for (const [, id, call, name, resumed] of log.matchAll(
    /^(\d+) +(?:((\w+)\(.*)|<\.\.\. \w+ resumed>(.*))$/gm,
  )) {
    const thread = Number(id)
    if (name === undefined) {
      // Somebody else's call came in between: this is the rest of the thread's last one.
      const begun = calls.findLast((one) => one.thread === thread)
      if (begun !== undefined) begun.text += resumed
      continue
    }
    const key = `${thread} ${name}`
    const n = (counts.get(key) ?? 0) + 1
    counts.set(key, n)
    calls.push({ thread, name, n, text: call! })
  }
  return calls
}
