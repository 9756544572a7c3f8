import type { DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import type { CheckpointReport, CheckpointRequest, CheckpointWorkerData } from './wal-checkpoint-worker.ts'

export interface WalCheckpointsOptions {
  /** The one connection that writes, in WAL mode. */
  readonly db: DatabaseSync
  /** Hears of a checkpoint that failed. Nothing is lost by it: the WAL keeps what it holds, and it is tried again. */
  readonly onFailure: (error: unknown) => void
  /** The WAL is copied back when it has grown by so many pages. Default 8,000: 32 MB. */
  readonly pages?: number
  /** So many pages at most are left for the writing connection to copy, unless the thread cannot keep up. Default 1,000. */
  readonly restPages?: number
}

/** Keeps the WAL of a database short without keeping its writer waiting. */
export interface WalCheckpoints extends AsyncDisposable {
  /** To be called before each transaction that writes. Takes some microseconds, now and then some milliseconds. Never throws. */
  beforeWrite(): void
  /** Resolves when the thread is not at work. Never rejects. */
  idle(): Promise<void>
}

/**
 * Where the thread could not be had, or does not keep up: SQLite makes a checkpoint within the COMMIT that fills the WAL
 * so far (256 MB).
 */
const LAST_RESORT_PAGES = 65_536
/** A writer that is faster than the thread is made to copy what is left after so many rounds: less each time. */
const MAX_ROUNDS = 3
const SQLITE_LOCKED = 6

/**
 * Takes checkpoints off the thread that writes. Copying a WAL back takes tens of milliseconds and waits for the disk
 * twice; done within COMMIT, as SQLite does it by itself, everybody waits for that. Here a thread with a connection of its
 * own copies it (`PASSIVE`: nobody is blocked), in rounds, since the writer goes on. Once only a little is left, the
 * writing connection copies that right before its next transaction, which then finds nothing to keep and begins the WAL
 * anew.
 *
 * A snapshot that is held open keeps the WAL from beginning anew, as it always does; it is tried again when the WAL has
 * grown by as many pages once more. The thread starts when it is needed first. A database in memory has no WAL: nothing
 * happens.
 *
 * The connection's own checkpoints (`wal_autocheckpoint`) become a last resort until this is disposed of, which must
 * come before closing the connection.
 */
export function createWalCheckpoints(options: WalCheckpointsOptions): WalCheckpoints {
  const { db, onFailure, pages = 8000, restPages = 1000 } = options
  const path = db.location()
  // In memory.
  if (path === null) return { beforeWrite() {}, idle: async () => {}, [Symbol.asyncDispose]: async () => {} }

  const before = db.prepare('PRAGMA wal_autocheckpoint').get() as { wal_autocheckpoint: number }
  db.exec(`PRAGMA wal_autocheckpoint = ${Math.max(LAST_RESORT_PAGES, 4 * pages)}`)
  const look = db.prepare('PRAGMA wal_checkpoint(NOOP)')
  const copy = db.prepare('PRAGMA wal_checkpoint(PASSIVE)')

  let worker: Worker | undefined
  let closed = false
  const idlers: (() => void)[] = []
  /** Rounds of the thread so far; 0 while it is not at work. */
  let round = 0
  /** Whether the thread has left the rest to the next transaction. */
  let restIsOurs = false
  /** Pages in the WAL when it was looked at last, and when the next checkpoint is due. */
  let length = 0
  let dueAt = pages

  /** Pages in the WAL. */
  function measure(): number {
    const { log } = look.get() as unknown as Wal
    // It began anew.
    if (log < length) dueAt = pages
    length = log
    return log
  }

  /** The thread has done what it could. The next checkpoint is due when the WAL has grown by as much again. */
  function settle(): void {
    round = 0
    dueAt = length + pages
    for (const resolve of idlers.splice(0)) resolve()
  }

  function fail(error: unknown): void {
    settle()
    // The caller writes while it reads on the same connection: nothing is wrong, there will be another time.
    if ((error as { errcode?: number }).errcode !== SQLITE_LOCKED) onFailure(error)
  }

  function start(): Worker {
    const workerData: CheckpointWorkerData = { path: path! }
    const thread = new Worker(workerModule(), { execArgv: [], workerData, resourceLimits: LIMITS })
    // It never keeps the process alive: what is not copied when the process ends lies in the WAL.
    thread.unref()
    thread.on('message', take)
    thread.on('error', (error) => {
      worker = undefined
      fail(error)
    })
    return thread
  }

  function ask(): void {
    round++
    try {
      worker ??= start()
      worker.postMessage('checkpoint' satisfies CheckpointRequest)
    } catch (error) {
      fail(error)
    }
  }

  /** Another round, our turn, or the end of it. */
  function judge({ log, checkpointed }: Exclude<CheckpointReport, { error: Error }>): void {
    const now = measure()
    const beganAnew = now < log
    const snapshotIsInTheWay = checkpointed < log
    if (closed || beganAnew || snapshotIsInTheWay) settle()
    else if (now - checkpointed > restPages && round < MAX_ROUNDS) ask()
    else {
      restIsOurs = true
      settle()
    }
  }

  function take(report: CheckpointReport): void {
    try {
      if ('error' in report) fail(report.error)
      else judge(report)
    } catch (error) {
      fail(error)
    }
  }

  return {
    beforeWrite() {
      if (round > 0 || closed) return
      try {
        if (restIsOurs) {
          restIsOurs = false
          copy.get()
        } else if (measure() >= dueAt) ask()
      } catch (error) {
        fail(error)
      }
    },
    idle: () => (round === 0 ? Promise.resolve() : new Promise((resolve) => idlers.push(resolve))),
    async [Symbol.asyncDispose]() {
      if (closed) return
      closed = true
      if (worker !== undefined) {
        const { promise, resolve } = Promise.withResolvers<void>()
        worker.once('exit', () => resolve())
        worker.ref()
        worker.postMessage('close' satisfies CheckpointRequest)
        await promise
      }
      settle()
      db.exec(`PRAGMA wal_autocheckpoint = ${before.wal_autocheckpoint}`)
    },
  }
}

interface Wal {
  readonly log: number
  readonly checkpointed: number
}

/** It holds one connection and no data. */
const LIMITS = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 }

/** Beside this module, whether it runs from its source or from what was made of it. */
const workerModule = () =>
  new URL(
    import.meta.url.endsWith('.ts') ? './wal-checkpoint-worker.ts' : './wal-checkpoint-worker.js',
    import.meta.url,
  )
