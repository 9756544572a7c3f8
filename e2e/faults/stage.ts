import type { Did } from '@imago/syntax'
import type { TestAccount, TestPds } from '../../services/pds/test/test-pds.ts'
import type { ClockStep } from './clock-step.ts'
import { eventsOf } from './events.ts'
import { NOTE, type Note, note, type OpenOptions, openScene, type Scene, succeed } from './scene.ts'
import { type Effect, say } from './transcript.ts'

/** Where a flow plays: in the process that is broken. */
export interface Stage {
  readonly root: string
  readonly scene: Scene
  /** Opens a server on a data directory of the scene; it is closed when the flow is over. */
  open(options?: OpenOptions): Promise<TestPds>
  /**
   * Says what comes, does it, and says that it is done, with what `work` answers. When it fails, says so and goes on:
   * one fault has to cost no more than one step. Returns undefined then.
   */
  step<T>(name: string, effects: readonly Effect[], work: () => Promise<T>): Promise<T | undefined>
  /** By how many milliseconds the clock of the machine has been set so far, for what goes by it without a server. */
  readonly clockMs: number
}

/** @param clockStep sets the clock at some point of the story. Default: never. */
export function createStage(root: string, scene: Scene, clockStep?: ClockStep): Stage & AsyncDisposable {
  const opened = new AsyncDisposableStack()
  let pds: TestPds | undefined
  let cursor = 0
  let steps = 0
  let clockMs = 0

  function setClock(ms: number): void {
    clockMs += ms
    pds?.clock.advance(ms)
    say({ type: 'clock', ms })
  }

  /** Whatever readers of the stream have heard by now must never be taken back. */
  async function sayEvents(): Promise<void> {
    if (pds === undefined) return
    for (const event of await eventsOf(pds, cursor)) {
      say({ type: 'event', seq: event.seq, did: event.did, hash: event.hash })
      cursor = event.seq
    }
  }

  return {
    root,
    scene,
    async open(options) {
      const { laterMs = 0 } = options ?? {}
      pds = opened.use(await openScene(root, scene, { seed: 2, ...options, laterMs: laterMs + clockMs }))
      return pds
    },
    get clockMs() {
      return clockMs
    },
    async step(name, effects, work) {
      if (steps++ === clockStep?.before) setClock(clockStep.ms)
      say({ type: 'try', step: name, effects })
      const result = await attempt(work)
      if ('error' in result) {
        say({ type: 'failed', step: name, error: String((result.error as Error).message) })
        return undefined
      }
      say({ type: 'done', step: name, fact: result.fact ?? null })
      await sayEvents()
      return result.fact
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

async function attempt<T>(work: () => Promise<T>): Promise<{ fact: T } | { error: unknown }> {
  try {
    return { fact: await work() }
  } catch (error) {
    return { error }
  }
}

export const pathOf = (rkey: string) => `${NOTE}/${rkey}`

export const changed = (did: Did, rkey: string, value: Note | null): Effect => ({
  kind: 'record',
  did,
  path: pathOf(rkey),
  value,
})

/** What the flows do with an account. Each call throws unless it succeeds. */
export function writerOf(pds: TestPds, { did, accessJwt: token }: TestAccount) {
  const call = (name: string, body: object) =>
    succeed(pds, `com.atproto.repo.${name}`, { token, body: { repo: did, ...body } })
  const key = (rkey: string) => ({ collection: NOTE, rkey })
  return {
    did,
    create: (rkey: string, record: Note = note(rkey)) => call('createRecord', { ...key(rkey), record }),
    put: (rkey: string, record: Note) => call('putRecord', { ...key(rkey), record }),
    delete: (rkey: string) => call('deleteRecord', key(rkey)),
    applyWrites: (writes: readonly object[]) => call('applyWrites', { writes }),
    upload: (body: Uint8Array) =>
      succeed(pds, 'com.atproto.repo.uploadBlob', { token, body, headers: { 'content-type': 'x/y' } }),
  }
}

const write = (kind: string, rkey: string, value?: Note) => ({
  $type: `com.atproto.repo.applyWrites#${kind}`,
  collection: NOTE,
  rkey,
  ...(value !== undefined && { value }),
})

/** Operations of applyWrites. */
export const writes = {
  create: (rkey: string, value: Note) => write('create', rkey, value),
  update: (rkey: string, value: Note) => write('update', rkey, value),
  delete: (rkey: string) => write('delete', rkey),
}
