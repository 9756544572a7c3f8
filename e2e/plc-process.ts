import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../cli/src/main.ts', import.meta.url))

/** One service in a process of its own, from its environment, on a free port of the loopback interface. */
export interface ServiceProcess extends AsyncDisposable {
  readonly url: string
  /** Lines of its log that were parsed so far. */
  readonly lines: readonly Record<string, unknown>[]
  readonly process: ChildProcess
  /** Of the service itself, also where something else runs it. */
  readonly pid: number
  /** Ends it by a signal and waits until it is gone. */
  kill(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
}

/**
 * @param env settings; the port is chosen here, unless they say it.
 * @param options.wrapper command and arguments that run it, such as `strace -o log`.
 * @throws {Error} when it ends before it listens.
 */
export async function startService(
  name: 'plc' | 'witness',
  env: NodeJS.ProcessEnv,
  { wrapper = [] }: { wrapper?: readonly string[] } = {},
): Promise<ServiceProcess> {
  const prefix = name.toUpperCase()
  const [command, ...args] = [...wrapper, process.execPath, main, name]
  const child = spawn(command!, args, {
    env: { PATH: process.env['PATH'], [`${prefix}_PORT`]: '0', [`${prefix}_HOSTNAME`]: '127.0.0.1', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: Record<string, unknown>[] = []
  const url = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).on('line', (text) => {
      const line = JSON.parse(text)
      lines.push(line)
      if (line.msg === 'listening') resolve(line.url)
    })
    child.once('exit', (code, signal) =>
      reject(new Error(`${name} ended with ${code ?? signal}: ${JSON.stringify(lines)}`)),
    )
  })
  const pid = wrapper.length === 0 ? child.pid! : childOf(child.pid!)
  const kill = async (signal: 'SIGTERM' | 'SIGKILL') => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    try {
      process.kill(pid, signal)
    } catch (error) {
      // A fault may have been faster, and what runs it has not said so yet.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
    await exited
  }
  return { url, lines, process: child, pid, kill, [Symbol.asyncDispose]: () => kill('SIGTERM') }
}

const childOf = (pid: number) => Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim())
