import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../cli/src/main.ts', import.meta.url))

export interface Finished {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs one `imago` command in a process of its own, to its end.
 * @param options.wrapper command and arguments that run it, such as `strace -f`.
 */
export async function imago(
  args: readonly string[],
  { env = {}, wrapper = [] }: { env?: NodeJS.ProcessEnv; wrapper?: readonly string[] } = {},
): Promise<Finished> {
  const [command, ...rest] = [...wrapper, process.execPath, main, ...args]
  const child = spawn(command!, rest, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name].on('data', (chunk) => {
      output[name] += chunk
    })
  const [code, signal] = await once(child, 'close')
  return { code, signal, ...output }
}

/** The environment that the PDS of a development network has, for commands that work on its data. */
export function pdsEnvironment(folder: string, port: number): NodeJS.ProcessEnv {
  const { jwtSecret, adminPassword, plcRotationKey } = JSON.parse(
    readFileSync(join(folder, 'network.json'), 'utf8'),
  )
  return {
    PDS_PORT: String(port),
    PDS_DATA_DIRECTORY: join(folder, 'pds'),
    PDS_JWT_SECRET: jwtSecret,
    PDS_ADMIN_PASSWORD: adminPassword,
    PDS_PLC_ROTATION_KEY_K256_PRIVATE_KEY_HEX: plcRotationKey,
  }
}
