import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { killAtExit } from './kill-at-exit.ts'

const START_DEADLINE_MS = 60_000
const STOP_DEADLINE_MS = 10_000
const OUTPUT_KEPT = 4000
/** Of Linux, wherever Node runs. */
const TICKS_PER_SECOND = 100

/** A process that a benchmark started, and stops on disposal. */
export interface ServerProcess extends AsyncDisposable {
  readonly pid: number
  /** From the start of the process until it was ready. */
  readonly readyAfterMs: number
}

export interface ServerOptions {
  /** Program and arguments. */
  readonly command: readonly [string, ...string[]]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** The one core that it may use; all of them, if not given. */
  readonly core?: number
  /** When it answers: at this address with 200, or once it prints a line that begins so. */
  readonly ready: { readonly url: string } | { readonly line: string }
}

/**
 * Starts a process and waits until it is ready.
 * @throws Error with the end of what it printed, when it ends before, or is not ready within a minute.
 */
export async function startServer({ command, env, cwd, core, ready }: ServerOptions): Promise<ServerProcess> {
  const [file, ...args] = core === undefined ? command : ['taskset', '-c', String(core), ...command]
  const startedAt = performance.now()
  const child = spawn(file!, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  killAtExit(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      output = (output + chunk).slice(-OUTPUT_KEPT)
    })
  const isReady = 'url' in ready ? () => answers(ready.url) : () => `\n${output}`.includes(`\n${ready.line}`)
  try {
    while (!(await isReady())) {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`\`${command.join(' ')}\` ended before it was ready:\n${output}`)
      if (performance.now() - startedAt > START_DEADLINE_MS)
        throw new Error(
          `\`${command.join(' ')}\` was not ready within ${START_DEADLINE_MS / 1000} s:\n${output}`,
        )
      await sleep(5)
    }
  } catch (error) {
    await stop(child)
    throw error
  }
  return {
    pid: child.pid!,
    readyAfterMs: performance.now() - startedAt,
    [Symbol.asyncDispose]: () => stop(child),
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(1000) })
    await response.body?.cancel()
    return response.ok
  } catch {
    return false
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const impatience = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS)
  await gone
  clearTimeout(impatience)
}

/** Memory that a process and those it started hold, in bytes. Linux only: see {@link missingForMemory}. */
export function residentBytes(pid: number): number {
  const kilobytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  return kilobytes * 1024 + childrenOf(pid).reduce((sum, child) => sum + residentBytes(child), 0)
}

/** Processor time that a process and those it started have used, in seconds, to a hundredth. Linux only. */
export function processorSeconds(pid: number): number {
  const [, rest = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')
  // Counted from the state, which is field 3: user and system are 14 and 15, and 16 and 17 those of children that ended.
  const ticks = rest
    .split(' ')
    .slice(14 - 3, 18 - 3)
    .reduce((sum, field) => sum + Number(field), 0)
  return ticks / TICKS_PER_SECOND + childrenOf(pid).reduce((sum, child) => sum + processorSeconds(child), 0)
}

const childrenOf = (pid: number): number[] =>
  readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  )

/** What memory rows lack here; `undefined` when nothing. */
export const missingForMemory = (): string | undefined =>
  existsSync('/proc/self/status') ? undefined : 'memory is read from /proc, which this system does not have'

/** What rows that give a server and its load a core each lack here; `undefined` when nothing. */
export function missingForPinning(): string | undefined {
  if (availableParallelism() < 2) return 'server and load need a core each, and this machine has one'
  if (spawnSync('taskset', ['-V']).status !== 0) return 'taskset is not on this machine (util-linux)'
  return undefined
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, 'localhost')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
