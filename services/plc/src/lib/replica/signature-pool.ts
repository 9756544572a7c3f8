import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { findSigner, type Operation, signedBytesOf } from '@imago/identity/plc'
import { packSignatures, type SignatureToVerify } from './signature-batch.ts'

/** An operation, and the keys that may have signed it. */
export interface ToVerify {
  readonly keys: readonly string[]
  readonly operation: Operation
}

/** Threads that verify signatures, which is nearly all of what validating a history costs. */
export interface SignaturePool extends AsyncDisposable {
  /**
   * Positions of the keys that signed, as `findSigner` tells them, in order.
   * @throws whatever stopped a thread, or that the pool is closed.
   */
  findSigners(items: readonly ToVerify[]): Promise<readonly number[]>
}

/** Verifies on the calling thread: for one processor, and for tests. */
export const localSignatures: SignaturePool = {
  findSigners: async (items) => items.map(({ keys, operation }) => findSigner(keys, operation)),
  [Symbol.asyncDispose]: async () => {},
}

interface Task {
  readonly resolve: (signers: readonly number[]) => void
  readonly reject: (error: Error) => void
}

/** @param workers threads. Default: one per processor. They do not keep the process alive while idle. */
export function openSignaturePool(workers = availableParallelism()): SignaturePool {
  let closed: Error | undefined
  const lanes = Array.from({ length: Math.max(1, workers) }, () => {
    const worker = new Worker(workerModule(), { execArgv: [] })
    const tasks: Task[] = []
    worker.unref()
    worker.on('message', (signers: number[]) => {
      tasks.shift()!.resolve(signers)
      if (tasks.length === 0) worker.unref()
    })
    worker.on('error', fail)
    worker.on('exit', () => fail(new Error('a thread of the signature pool ended')))
    return { worker, tasks }
  })

  function fail(error: Error): void {
    closed ??= error
    for (const { worker, tasks } of lanes) {
      for (const { reject } of tasks.splice(0)) reject(closed)
      void worker.terminate()
    }
  }

  function ask({ worker, tasks }: (typeof lanes)[number], items: readonly SignatureToVerify[]) {
    return new Promise<readonly number[]>((resolve, reject) => {
      worker.ref()
      tasks.push({ resolve, reject })
      const batch = packSignatures(items)
      worker.postMessage(batch, [batch.bytes.buffer])
    })
  }

  return {
    async findSigners(items) {
      if (closed !== undefined) throw closed
      const signers: number[] = new Array(items.length).fill(-1)
      const signed = items.flatMap(({ keys, operation }, index) => {
        const bytes = signedBytesOf(operation)
        return bytes === undefined ? [] : [{ index, keys, ...bytes }]
      })
      const share = Math.ceil(signed.length / lanes.length)
      await Promise.all(
        lanes.map(async (lane, i) => {
          const part = signed.slice(i * share, (i + 1) * share)
          if (part.length === 0) return
          const found = await ask(lane, part)
          part.forEach(({ index }, j) => {
            signers[index] = found[j]!
          })
        }),
      )
      return signers
    },
    async [Symbol.asyncDispose]() {
      const exits = lanes.map(({ worker }) => worker.terminate())
      fail(new Error('the signature pool is closed'))
      await Promise.all(exits)
    },
  }
}

/** Beside this module, whether it runs from its source or from what was made of it. */
const workerModule = () =>
  new URL(
    import.meta.url.endsWith('.ts') ? './signature-worker.ts' : './signature-worker.js',
    import.meta.url,
  )
