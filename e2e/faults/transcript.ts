import { writeSync } from 'node:fs'
import type { Did } from '@imago/syntax'
import type { Note } from './scene.ts'

/** What a step does to the repositories. `null` is a record that is deleted. */
export type Effect =
  | { readonly kind: 'record'; readonly did: Did; readonly path: string; readonly value: Note | null }
  /** The whole repository becomes what `extra` of the scene holds under this name. */
  | { readonly kind: 'repo'; readonly did: Did; readonly extra: string }
  | { readonly kind: 'deleted'; readonly did: Did }

/** An event of the stream that was seen: its number, and the hash of all it says. */
export interface SeenEvent {
  readonly seq: number
  readonly did: string
  readonly hash: string
}

/** What the process that is broken says while it works, one line each, before it goes on. */
export type Line =
  | { readonly type: 'began'; readonly pid: number }
  /** A thread that the server started for itself. */
  | { readonly type: 'worker'; readonly thread: number }
  | { readonly type: 'clock'; readonly ms: number }
  | { readonly type: 'try'; readonly step: string; readonly effects: readonly Effect[] }
  | { readonly type: 'done'; readonly step: string; readonly fact: unknown }
  | { readonly type: 'failed'; readonly step: string; readonly error: string }
  | ({ readonly type: 'event' } & SeenEvent)
  | { readonly type: 'broke'; readonly error: string }
  | { readonly type: 'ended' }

/** Not buffered: what was said before a kill is heard. */
export function say(line: Line): void {
  writeSync(1, `${JSON.stringify(line)}\n`)
}

export interface Step {
  readonly name: string
  readonly effects: readonly Effect[]
  /** `unfinished`: the process was gone before it knew. */
  readonly outcome: 'done' | 'failed' | 'unfinished'
  /** What was answered. */
  readonly fact: unknown
  readonly error: string | undefined
}

export interface Transcript {
  readonly pid: number | undefined
  /** Thread ids of those that the server started for itself. */
  readonly workers: readonly number[]
  /** By how many milliseconds the clock was set. */
  readonly clockMs: number
  readonly steps: readonly Step[]
  readonly seen: readonly SeenEvent[]
  /** Why the process could not go on, in its own words. */
  readonly broke: string | undefined
  /** It came to its end and closed everything. */
  readonly ended: boolean
}

/** What a process said; a last line that was cut off does not count. */
export function readTranscript(output: string): Transcript {
  const lines = output
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line)
  const steps = new Map<string, Step>()
  const seen: SeenEvent[] = []
  const workers: number[] = []
  let clockMs = 0
  let pid: number | undefined
  let broke: string | undefined
  for (const line of lines) {
    if (line.type === 'began') pid = line.pid
    if (line.type === 'worker') workers.push(line.thread)
    if (line.type === 'clock') clockMs += line.ms
    if (line.type === 'event') seen.push({ seq: line.seq, did: line.did, hash: line.hash })
    if (line.type === 'broke') broke = line.error
    if (line.type === 'try') {
      const { step: name, effects } = line
      steps.set(name, { name, effects, outcome: 'unfinished', fact: undefined, error: undefined })
    }
    if (line.type === 'done')
      steps.set(line.step, { ...steps.get(line.step)!, outcome: 'done', fact: line.fact })
    if (line.type === 'failed')
      steps.set(line.step, { ...steps.get(line.step)!, outcome: 'failed', error: line.error })
  }
  const ended = lines.some(({ type }) => type === 'ended')
  return { pid, workers, clockMs, steps: [...steps.values()], seen, broke, ended }
}
