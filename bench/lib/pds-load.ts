import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { killAtExit } from './kill-at-exit.ts'

// Beside the repository, not in it: it loads any PDS, and is nobody's part.
const tool = fileURLToPath(new URL('../../../shared/bench/pds-load.mjs', import.meta.url))

/** What rows that need the load tool lack here; `undefined` when nothing. */
export const missingForLoad = (): string | undefined =>
  existsSync(tool) ? undefined : 'the load tool shared/bench/pds-load.mjs is not beside the repository'

export interface LoadOptions {
  readonly url: string
  readonly mode: 'createRecord' | 'getRecord' | 'listRecords' | 'getRepo' | 'applyWrites' | 'uploadBlob'
  readonly accounts: number
  readonly concurrency: number
  readonly seconds: number
  /** Records of each account before a mode that reads. */
  readonly records: number
  /** Keeps the accounts for the next run against the same server. */
  readonly sessionFile: string
  readonly serverPid: number
  /** The core that the load may use. */
  readonly core: number
  /** A single request may take so long. Default: what the tool has. */
  readonly timeoutMs?: number
}

export interface Load {
  readonly opsPerSec: number
  readonly latencyMs: { readonly p50: number; readonly p99: number }
  /** What the server takes of its core for one request; only where the system tells it. */
  readonly serverCpuMsPerOp?: number
}

/**
 * Loads a PDS for some seconds.
 * @throws Error when the tool fails, or any request did: failures are fast, and no figure.
 */
export async function loadPds(options: LoadOptions): Promise<Load> {
  const { core, sessionFile, serverPid, timeoutMs, ...rest } = options
  const named = {
    ...rest,
    'session-file': sessionFile,
    'server-pid': serverPid,
    warmup: 1,
    ...(timeoutMs !== undefined && { timeout: timeoutMs }),
  }
  const args = Object.entries(named).flatMap(([name, value]) => [`--${name}`, String(value)])
  const result = JSON.parse(await runOnCore(core, tool, args)) as Load & Failures
  if (result.errors > 0)
    throw new Error(
      `${result.errors} of the requests to ${options.url} failed: ${JSON.stringify(result.errorKinds)} ${result.firstError}`,
    )
  return result
}

interface Failures {
  readonly errors: number
  readonly errorKinds: unknown
  readonly firstError?: string
}

/**
 * Runs a script of Node on one core. @returns what it printed.
 * @throws Error with what it complained of, when it fails.
 */
export async function runOnCore(core: number, script: string, args: readonly string[]): Promise<string> {
  const child = spawn('taskset', ['-c', String(core), process.execPath, script, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  killAtExit(child)
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ])
  if (code !== 0) throw new Error(`${script} ${args.join(' ')} ended with ${code}:\n${stderr}`)
  return stdout
}
