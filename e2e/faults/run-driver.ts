import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readTranscript, type Transcript } from './transcript.ts'

/** A process that came to an end. */
export interface Finished {
  readonly transcript: Transcript
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stderr: string
}

/** Runs the driver, or what runs it, to its end. */
export async function runDriver(
  [program, ...args]: readonly [string, ...string[]],
  env: Readonly<Record<string, string>>,
): Promise<Finished> {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      output[name] += chunk
    })
  const [code, signal] = await once(child, 'close')
  return { transcript: readTranscript(output.stdout), code, signal, stderr: output.stderr }
}
