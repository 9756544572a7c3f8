import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../cli/src/main.ts', import.meta.url))

/** One service in a process of its own, from its environment, on a free port of the loopback interface. */
export interface ServiceProcess extends AsyncDisposable {
  readonly url: string
  /** Lines of its log that were parsed so far. */
  readonly lines: readonly Record<string, unknown>[]
  readonly process: ChildProcess
  /** Ends it by a signal and waits until it is gone. */
  kill(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
}

/** @param env settings; the port is chosen here. */
export async function startService(name: 'plc' | 'witness', env: NodeJS.ProcessEnv): Promise<ServiceProcess> {
  const prefix = name.toUpperCase()
  const child = spawn(process.execPath, [main, name], {
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
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}: ${JSON.stringify(lines)}`)))
  })
  const kill = async (signal: 'SIGTERM' | 'SIGKILL') => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill(signal)
    await once(child, 'exit')
  }
  return { url, lines, process: child, kill, [Symbol.asyncDispose]: () => kill('SIGTERM') }
}
