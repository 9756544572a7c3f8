// One thread of executions. It never yields: what it has to say it posts, and when to stop it reads from shared memory.
import { parentPort, workerData } from 'node:worker_threads'
import { createMutator, failureOf, maxBytesOf, minimise } from '@imago/sim/fuzz'
import { createRandom } from '@imago/sim/random'
import { BATCH_INPUTS, type BatchMemory, CURRENT, DONE, openBatch, STOP } from './batch.ts'
import { startBlockCoverage } from './block-coverage.ts'
import { targetsIn } from './targets.ts'

export interface LoopOrder {
  readonly file: string
  readonly name: string
  readonly seed: number
  readonly memory: BatchMemory
  readonly maxExecutions: number
  /** Whether to look for inputs that reach new blocks, at the price of speed, and to end when there are no more. */
  readonly explore: boolean
  readonly corpus: readonly Uint8Array[]
  /** Reached by that corpus. */
  readonly blocks: readonly string[]
}

export type LoopReport =
  | { readonly kind: 'explored'; readonly corpus: readonly Uint8Array[]; readonly blocks: readonly string[] }
  | { readonly kind: 'crash' | 'memory'; readonly input: Uint8Array; readonly message: string }
  | { readonly kind: 'done' }

/** Exploring ends when so many executions in a row have reached nothing new. */
const PLATEAU_EXECUTIONS = 100_000
const LEAST_BATCH_INPUTS = 16
/** More than this in one batch, and one of its inputs is looked for. */
const SPIKE_BYTES = 64 << 20
/** More than this in one execution is a spike. */
const SPIKE_BYTES_OF_ONE = 64 << 20
/** How often what remains after a garbage collection is looked at, and how far it may grow from the first time on. */
const LEAK_EXECUTIONS = 1 << 20
const LEAK_BYTES = 32 << 20

const order: LoopOrder = workerData
const report = (message: LoopReport) => parentPort!.postMessage(message)

const coverage = order.explore
  ? startBlockCoverage(
      (url) => /\/(packages|services)\/(?!sim\/src\/(lib\/|fuzz|random)).*\.ts$/.test(url),
      order.blocks,
    )
  : undefined
const target = (await targetsIn(order.file)).find(({ name }) => name === order.name)!
const seeds = target.seeds()
const random = createRandom(order.seed)
const mutator = createMutator({ random, maxBytes: maxBytesOf(target, seeds), dictionary: target.dictionary })
const corpus: Uint8Array[] = [...(order.corpus.length > 0 ? order.corpus : seeds)]
const batch = openBatch(order.memory)
const state = new Int32Array(order.memory.state)
const executed = new BigInt64Array(order.memory.state)

// Most inputs are refused with an error, and most of the cost of an error is its stack.
Error.stackTraceLimit = 0

/** @returns false on a crash, which has then been reported. */
function execute(input: Uint8Array, index: number): boolean {
  batch.add(input)
  Atomics.store(state, CURRENT, index)
  const failure = failureOf(target, input)
  Atomics.store(state, CURRENT, -1)
  if (failure === undefined) return true
  Error.stackTraceLimit = 20
  const again = failureOf(target, batch.input(index))
  const { error } = again ?? failure
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  report({
    kind: 'crash',
    message: again === undefined ? `(not when tried again) ${text}` : text,
    input:
      again === undefined
        ? batch.input(index)
        : minimise(batch.input(index), (shorter) => failureOf(target, shorter) !== undefined),
  })
  return false
}

/** Runs inputs `from` to `to` of the batch again: which of `wanted` do they reach? */
function reachedBy(from: number, to: number, wanted: ReadonlySet<string>): Set<string> {
  for (let i = from; i < to; i++) failureOf(target, batch.input(i))
  return coverage!.fresh().intersection(wanted)
}

/** Keeps the inputs of the batch that reach `wanted`, found by halving. */
function keepInputs(from: number, to: number, wanted: Set<string>): void {
  if (to - from === 1) {
    corpus.push(batch.input(from))
    return
  }
  const middle = (from + to) >> 1
  const left = reachedBy(from, middle, wanted)
  if (left.size > 0) keepInputs(from, middle, left)
  const rest = wanted.difference(left)
  if (rest.size === 0) return
  const right = reachedBy(middle, to, rest)
  if (right.size > 0) keepInputs(middle, to, right)
}

function memoryInUse(): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** @returns false when one input of the batch takes more memory than any input should. */
function checkMemory(): boolean {
  for (let i = 0; i < batch.size; i++) {
    // What the execution before left behind must not be collected during this one. (`--expose-gc` is set by fuzz.ts.)
    globalThis.gc?.()
    const before = memoryInUse()
    failureOf(target, batch.input(i))
    const bytes = memoryInUse() - before
    if (bytes < SPIKE_BYTES_OF_ONE) continue
    report({ kind: 'memory', input: batch.input(i), message: `one execution took ${bytes >> 20} MiB` })
    return false
  }
  return true
}

/** What the first look found in use, once there was one. */
let inUseAtFirst: number | undefined

/** @returns false when executions have left more behind than caches that fill up may. */
function checkLeak(): boolean {
  globalThis.gc?.()
  const inUse = memoryInUse()
  inUseAtFirst ??= inUse
  if (inUse - inUseAtFirst < LEAK_BYTES) return true
  const message = `executions leave memory behind: ${(inUse - inUseAtFirst) >> 20} MiB so far; the last one is kept`
  report({ kind: 'memory', input: batch.input(batch.size - 1), message })
  return false
}

/** Recent finds more often than old ones: what lies behind a new block is mostly still unknown. */
const pick = (): Uint8Array =>
  random.chance(0.3)
    ? corpus[corpus.length - 1 - random.int(Math.min(16, corpus.length))]!
    : random.pick(corpus)

function run(): boolean {
  let executions = 0
  let lastFind = 0
  // Finding out which inputs of a batch reached something new runs them again, several times: small while that is common.
  let batchInputs = coverage === undefined ? BATCH_INPUTS : LEAST_BATCH_INPUTS
  let peak = process.resourceUsage().maxRSS
  while (executions < order.maxExecutions && Atomics.load(state, STOP) === 0) {
    batch.clear()
    for (;;) {
      const input: Uint8Array =
        executions + batch.size < seeds.length
          ? seeds[executions + batch.size]!
          : mutator.mutate(pick(), pick())
      if (
        batch.size === batchInputs ||
        !batch.fits(input.length) ||
        executions + batch.size >= order.maxExecutions
      )
        break
      if (!execute(input, batch.size)) return false
    }
    executions += batch.size
    Atomics.add(executed, DONE, BigInt(batch.size))

    const { maxRSS } = process.resourceUsage()
    if ((maxRSS - peak) * 1024 > SPIKE_BYTES && !checkMemory()) return false
    peak = maxRSS
    if (executions % LEAK_EXECUTIONS < batch.size && !checkLeak()) return false

    if (coverage === undefined) continue
    const fresh = coverage.fresh()
    if (fresh.size > 0) {
      lastFind = executions
      batchInputs = Math.max(LEAST_BATCH_INPUTS, batchInputs >> 1)
      keepInputs(0, batch.size, fresh)
      coverage.keep(fresh)
      continue
    }
    batchInputs = Math.min(BATCH_INPUTS, 2 * batchInputs)
    if (executions - lastFind > PLATEAU_EXECUTIONS) break
  }
  return true
}

if (run()) {
  if (coverage !== undefined) report({ kind: 'explored', corpus, blocks: [...coverage.reached] })
  report({ kind: 'done' })
}
