import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { FrameVerdict } from './judge-frame.ts'
import { type Batch, type FrameToJudge, packFrames, unpackVerdicts } from './verdict-batch.ts'

export interface VerdictPoolOptions {
  /** Worker threads. Default: one per processor. */
  readonly workers?: number
}

/** Threads that judge frames. */
export interface VerdictPool extends AsyncDisposable {
  /** Frames that were handed in and have no verdict yet: a caller that keeps reading sees to it that they stay few. */
  readonly pending: number
  /**
   * Judges the `#commit` or `#sync` in a frame, as `judgeFrame` does. Verdicts come in any order: who has two frames about
   * one account hands in the second when it has the verdict on the first, which it is to be judged against anyway.
   * @throws whatever stopped a worker, or that the pool is closed; what is wrong with a frame is a verdict.
   */
  judge(item: FrameToJudge): Promise<FrameVerdict>
}

/** Frames of one message: enough that passing it costs little per frame, and few enough to be done in some milliseconds. */
const BATCH_FRAMES = 32
/** One that a worker is busy with, and one that is ready when it is done. */
const BATCHES_PER_WORKER = 2

interface Waiting {
  readonly item: FrameToJudge
  readonly resolve: (verdict: FrameVerdict) => void
  readonly reject: (error: Error) => void
}

interface Lane {
  readonly worker: Worker
  /** Batches that the worker has and did not answer, the oldest first. */
  readonly batches: Waiting[][]
}

/**
 * Starts threads that judge frames. The frames that are handed in during one turn of the event loop travel together, and
 * as bytes: what the calling thread spends on one is a few microseconds, where judging takes a hundred.
 *
 * The threads do not keep the process alive while they have nothing to do.
 */
export function openVerdictPool({ workers = availableParallelism() }: VerdictPoolOptions = {}): VerdictPool {
  const queue: Waiting[] = []
  let pending = 0
  let closed: Error | undefined
  let scheduled = false

  const fail = (error: Error) => {
    closed ??= error
    const open = [...lanes.flatMap(({ batches }) => batches.splice(0).flat()), ...queue.splice(0)]
    pending = 0
    for (const { reject } of open) reject(closed)
    for (const { worker } of lanes) void worker.terminate()
  }

  const lanes = Array.from({ length: Math.max(1, workers) }, (): Lane => {
    const worker = new Worker(workerModule(), { execArgv: [] })
    const lane: Lane = { worker, batches: [] }
    worker.unref()
    worker.on('message', (answer: Batch) => {
      const batch = lane.batches.shift()!
      pending -= batch.length
      send()
      if (lane.batches.length === 0) worker.unref()
      for (const [i, verdict] of unpackVerdicts(answer).entries()) batch[i]!.resolve(verdict)
    })
    worker.on('error', fail)
    worker.on('exit', () => fail(new Error('a worker of the verdict pool ended')))
    return lane
  })

  /** Hands out what waits, evenly: small batches to many workers before large ones to few. */
  const send = () => {
    scheduled = false
    while (queue.length > 0) {
      const lane = lanes.reduce((least, each) => (each.batches.length < least.batches.length ? each : least))
      if (lane.batches.length >= BATCHES_PER_WORKER) return
      const share = Math.ceil(queue.length / (lanes.length * BATCHES_PER_WORKER))
      const batch = queue.splice(0, Math.min(BATCH_FRAMES, share))
      const message = packFrames(batch.map(({ item }) => item))
      lane.worker.ref()
      lane.batches.push(batch)
      lane.worker.postMessage(message, [message.bytes.buffer])
    }
  }

  return {
    get pending() {
      return pending
    },
    judge: (item) =>
      new Promise((resolve, reject) => {
        if (closed !== undefined) {
          reject(closed)
          return
        }
        pending++
        queue.push({ item, resolve, reject })
        if (scheduled) return
        scheduled = true
        setImmediate(send)
      }),
    async [Symbol.asyncDispose]() {
      const exits = lanes.map(({ worker }) => worker.terminate())
      fail(new Error('the verdict pool is closed'))
      await Promise.all(exits)
    },
  }
}

/** Beside this module, whether it runs from its source or from what was made of it. */
const workerModule = () =>
  new URL(
    import.meta.url.endsWith('.ts') ? './verdict-worker-node.ts' : './verdict-worker-node.js',
    import.meta.url,
  )
