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

/** How much of the time, and of the executions of a round, may go to exploring: it is several times slower. */
const EXPLORING_SHARE = 0.25
const EXPLORING_SHARE_OF_EXECUTIONS = 0.05
/** A round explores, then executes. What a long run has come upon meanwhile, the next round sets out from. */
const ROUND_EXECUTIONS = 5_000_000
/** Two seeds a round and job; far more than anybody runs jobs. */
const SEEDS_OF_ROUND = 1_000_003
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

  async function phase(
    seed: number,
    explore: boolean,
    seconds: number,
    maxExecutions: number,
  ): Promise<void> {
    Atomics.store(state, STOP, 0)
    Atomics.store(state, CURRENT, -1)
    const { file, name } = order
    const workerData: LoopOrder = { file, name, seed, memory, maxExecutions, explore, corpus, blocks }
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

  const secondsLeft = () => order.seconds - (performance.now() - begin) / 1000
  const executionsLeft = () => order.maxExecutions - Number(Atomics.load(done, DONE))
  const goesOn = () => crasher === undefined && executionsLeft() > 0 && secondsLeft() > 0
  for (let round = 0; goesOn(); round++) {
    const seed = order.seed + round * SEEDS_OF_ROUND
    const share = Math.ceil(EXPLORING_SHARE_OF_EXECUTIONS * Math.min(executionsLeft(), ROUND_EXECUTIONS))
    await phase(seed, true, EXPLORING_SHARE * secondsLeft(), share)
    if (goesOn()) await phase(seed + 1, false, secondsLeft(), Math.min(executionsLeft(), ROUND_EXECUTIONS))
  }
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
