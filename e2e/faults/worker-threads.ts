import { EventEmitter, once } from 'node:events'
import { syncBuiltinESMExports } from 'node:module'
import workerThreads, { Worker, type WorkerOptions } from 'node:worker_threads'

const reports = new EventEmitter()

/**
 * Has the threads that a server starts from here on say who they are, and take their head start, before their own work
 * begins: strace tells them apart by that. They are told nothing of it.
 */
export function announceWorkers(): void {
  workerThreads.Worker = class extends Worker {
    constructor(module: string | URL, options: WorkerOptions = {}) {
      super(new URL('./announced-worker.ts', import.meta.url), { ...options, argv: [String(module)] })
      for (const event of ['message', 'error', 'exit']) this.on(event, () => reports.emit('report'))
    }

    override postMessage(...message: Parameters<Worker['postMessage']>): void {
      // After the transaction that is under way, so that such a thread finds the same in every run.
      setImmediate(() => super.postMessage(...message))
    }
  }
  syncBuiltinESMExports()
}

/** Resolves when a thread says something next, be it that it is gone. */
export async function nextReport(): Promise<void> {
  // Such a thread does not keep the process alive.
  const alive = setInterval(() => {}, 1000)
  await once(reports, 'report')
  clearInterval(alive)
}
