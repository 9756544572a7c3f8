import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../cli/src/main.ts', import.meta.url))

/** Far from the default ports, so that the tests and a running development network do not meet. */
const PORT_OFFSET = 20_000

/** A development network in a process of its own: what `npm start` runs, on other ports and other data. */
export interface Network extends AsyncDisposable {
  readonly console: string
  readonly plc: string
  readonly pds: string
  readonly relay: string
  readonly jetstream: string
  readonly folder: string
  readonly process: ChildProcess
  /** Everything that the process printed so far. */
  output(): string
  /** Ends the process by a signal and waits until it is gone; the data stay. */
  kill(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
}

export interface NetworkOptions {
  /** Data of an earlier network to go on with; a new temporary folder otherwise. */
  readonly folder?: string
  /** Command and arguments that run the process, such as `strace -f`; none otherwise. */
  readonly wrapper?: readonly string[]
}

/** Starts a network and waits for its `ready` line. The folder is removed on disposal unless it was given. */
export async function startNetwork({ folder, wrapper = [] }: NetworkOptions = {}): Promise<Network> {
  const data = folder ?? mkdtempSync(join(tmpdir(), 'imago-e2e-'))
  const [command, ...args] = [...wrapper, process.execPath, main, 'up', '--port-offset', String(PORT_OFFSET)]
  const child = spawn(command!, args, {
    env: { ...process.env, IMAGO_DATA: data },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  child.stderr.on('data', (chunk) => {
    printed += chunk
  })
  const ready = new Promise<void>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      printed += `${line}\n`
      if (line.startsWith('ready')) resolve()
    })
    child.once('exit', (code, signal) =>
      reject(new Error(`the network ended before it was ready (${signal ?? code}):\n${printed}`)),
    )
  })
  await ready
  const at = (port: number) => `http://localhost:${port + PORT_OFFSET}`
  const kill = async (signal: 'SIGTERM' | 'SIGKILL') => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }
  return {
    console: at(2580),
    plc: at(2582),
    pds: at(2583),
    relay: at(2470),
    jetstream: at(6008),
    folder: data,
    process: child,
    output: () => printed,
    kill,
    async [Symbol.asyncDispose]() {
      await kill('SIGTERM')
      if (folder === undefined) rmSync(data, { recursive: true, force: true })
    },
  }
}
