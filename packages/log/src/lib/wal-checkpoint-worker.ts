import { readlinkSync } from 'node:fs'
import { setPriority } from 'node:os'
import { basename } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'

export interface CheckpointWorkerData {
  readonly path: string
}

export type CheckpointRequest = 'checkpoint' | 'close'

/** What one checkpoint came to: pages in the WAL when it began, and how many of them are in the database now. */
export type CheckpointReport =
  | { readonly log: number; readonly checkpointed: number }
  | { readonly error: Error }

/** Of Linux, where a thread may be slower than the rest of its process. */
const NICE = 5

function run(port: NonNullable<typeof parentPort>, { path }: CheckpointWorkerData): void {
  stepBack()
  let db: DatabaseSync | undefined
  port.on('message', (request: CheckpointRequest) => {
    if (request === 'close') {
      db?.close()
      port.close()
      return
    }
    port.postMessage(attempt())
  })

  function attempt(): CheckpointReport {
    try {
      db ??= open(path)
      const { busy, log, checkpointed } = db.prepare('PRAGMA wal_checkpoint(PASSIVE)').get() as unknown as Wal
      // Another process, a backup perhaps, is at it.
      return busy === 1 ? { log: 1, checkpointed: 0 } : { log, checkpointed }
    } catch (error) {
      return { error: error as Error }
    }
  }
}

interface Wal {
  readonly busy: number
  readonly log: number
  readonly checkpointed: number
}

function open(path: string): DatabaseSync {
  const url = pathToFileURL(path)
  // Never makes a file: a database that was moved away is an error.
  url.searchParams.set('mode', 'rw')
  const db = new DatabaseSync(url)
  db.exec('PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -256')
  return db
}

/** Where there is one core, whoever writes comes first. */
function stepBack(): void {
  try {
    setPriority(Number(basename(readlinkSync('/proc/thread-self'))), NICE)
  } catch {
    // Not Linux, or not allowed: the threads share evenly.
  }
}

if (!isMainThread && parentPort !== null) run(parentPort, workerData as CheckpointWorkerData)
