// One process of `npm run fuzz`: watches one thread of executions after another, which it can end when they hang.
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { maxBytesOf } from '@imago/sim/fuzz'
import { CURRENT, createBatchMemory, DONE, openBatch, STOP } from './batch.ts'
import type { LoopOrder, LoopReport } from './loop.ts'
import { targetsIn } from './targets.ts'

export interface JobOrder {
  readonly file: string
  readonly name: string
  readonly seed: number
  readonly maxExecutions: number
  readonly seconds: number
  readonly hangMs: number
}

export interface Crasher {
  readonly kind: 'crash' | 'hang' | 'memory'
  readonly input: Uint8Array
  readonly message: string
}

export interface JobReport {
  readonly executions: number
  readonly corpus: number
  readonly blocks: readonly string[]
  readonly crasher?: Crasher
  readonly final: boolean
}

/** How much of the budget may go to exploring, which is several times slower than executing alone. */
const EXPLORING_SHARE = 0.25
const POLL_MS = 50
const REPORT_MS = 2000
const MAX_HEAP_MB = 512

/** Runs one target within its budget, reporting now and then. */
export async function runJob(order: JobOrder, report: (report: JobReport) => void): Promise<void> {
  const target = (await targetsIn(order.file)).find(({ name }) => name === order.name)!
  const memory = createBatchMemory(maxBytesOf(target, target.seeds()))
  const batch = openBatch(memory)
  const state = new Int32Array(memory.state)
  const done = new BigInt64Array(memory.state)
  const begin = performance.now()
  let corpus: readonly Uint8Array[] = []
  let blocks: readonly string[] = []
  let crasher: Crasher | undefined
  let reported = 0

  const tell = (final: boolean) => {
    reported = performance.now()
    const executions = Number(Atomics.load(done, DONE))
    report({ executions, corpus: corpus.length, blocks, final, ...(crasher && { crasher }) })
  }

  async function phase(explore: boolean, seconds: number, maxExecutions: number): Promise<void> {
    Atomics.store(state, STOP, 0)
    Atomics.store(state, CURRENT, -1)
    const { file, name, seed } = order
    const workerData: LoopOrder = {
      file,
      name,
      seed: seed + (explore ? 0 : 1),
      memory,
      maxExecutions,
      explore,
      corpus,
    }
    const worker = new Worker(new URL('loop.ts', import.meta.url), {
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    })
    let running = true
    const current = () => batch.input(Math.max(0, Atomics.load(state, CURRENT)))
    worker.on('message', (message: LoopReport) => {
      if (message.kind === 'explored') ({ corpus, blocks } = message)
      else if (message.kind !== 'done') crasher = message
    })
    worker.on('error', (error: NodeJS.ErrnoException) => {
      const kind = error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'memory' : 'crash'
      crasher ??= { kind, input: current(), message: error.stack ?? error.message }
    })
    worker.on('exit', () => {
      running = false
    })
    const end = performance.now() + seconds * 1000
    let seen = -1n
    let seenIndex = -1
    let since = performance.now()
    while (running) {
      await sleep(POLL_MS)
      const now = performance.now()
      if (now >= end) Atomics.store(state, STOP, 1)
      if (now - reported > REPORT_MS) tell(false)
      const index = Atomics.load(state, CURRENT)
      if (index < 0 || index !== seenIndex || done[DONE] !== seen) {
        seenIndex = index
        seen = done[DONE]!
        since = now
      } else if (now - since > order.hangMs) {
        crasher = { kind: 'hang', input: current(), message: `no return within ${order.hangMs} ms` }
        await worker.terminate()
      }
    }
  }

  await phase(true, order.seconds * EXPLORING_SHARE, order.maxExecutions * EXPLORING_SHARE)
  const left = order.maxExecutions - Number(Atomics.load(done, DONE))
  const secondsLeft = order.seconds - (performance.now() - begin) / 1000
  if (crasher === undefined && left > 0 && secondsLeft > 0) await phase(false, secondsLeft, left)
  tell(true)
}

process.on('message', (order: JobOrder) => {
  runJob(order, (report) => process.send?.(report)).then(
    () => process.disconnect?.(),
    (error) => {
      console.error(error)
      process.exit(1)
    },
  )
})
