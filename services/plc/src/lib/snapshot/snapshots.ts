import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readdir, rename, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { equalBytes } from '@imago/data'
import { HASH_BYTES, writeEntryBundle } from '@imago/tlog'
import { syncFolder } from '../durable-file.ts'
import type { PlcStore } from '../store/plc-store.ts'
import { encodeLogEntry } from '../transparency/log-entry.ts'
import { type BundleLevel, compressRuns, entriesAt, RUN_ENTRIES, runRoot } from './bundle-form.ts'

/** After a failure, such as a full disk. */
const RETRY_MS = 60_000

/** A bundle that lies ready. */
export interface Bundle {
  /** Number of the operation of its first entry, in the directory that the log is about. */
  readonly firstSeq: number
  readonly lastSeq: number
  /** Entries. */
  readonly count: number
  /** As it is sent. */
  readonly bytes: number
  /** Hash over its entries, as the tiles of the log have it. */
  readonly root: Uint8Array
}

export interface SnapshotsOptions {
  /** Where the files lie, made if absent. Whoever takes one away gets it made again. */
  readonly folder: string
  /** What a bundle covers, as a level of tiles. Default 2: 65 536 entries. */
  readonly level?: BundleLevel | undefined
}

/** Full subtrees of the transparency log as compressed files, for replicas that begin. */
export interface Snapshots extends AsyncDisposable {
  /** Those that lie within the first `size` entries of the log, in their order: bundle N covers subtree N. */
  within(size: number): readonly Bundle[]
  /** Its bytes; `undefined` where there is no such bundle, or its file is gone. */
  read(index: number): Promise<{ readonly bundle: Bundle; readonly body: ReadableStream } | undefined>
  /** Resolves when every subtree that is full now has its file, or making it has failed. */
  idle(): Promise<void>
}

/**
 * Keeps a file for each full subtree: finds those that are there, and makes what is missing behind the back of everyone
 * else. A run of 256 entries is made at a time, and after each the event loop is left alone for as long as it took.
 */
export function openSnapshots(
  options: SnapshotsOptions & {
    readonly store: Pick<PlcStore, 'tree' | 'subscribe'>
    /** Told of what was not made: it is tried again. */
    readonly onFailure: (error: unknown) => void
  },
): Snapshots {
  const { folder, store, onFailure, level = 2 } = options
  const { tree } = store
  const count = entriesAt(level)
  const bundles: Bundle[] = []
  const stopped = new AbortController()
  const { signal } = stopped
  /** Operations until another subtree may be full, from the last look at the log on. */
  let awaited = 0
  /** Operations since then. */
  let arrived = 0

  /** A file is bound to its entries by its name, so that one of another log is never taken for ours. */
  const fileOf = (index: number, root: Uint8Array) =>
    join(folder, `${String(index).padStart(6, '0')}-${root.toHex().slice(0, 16)}.zst`)

  async function* runsOf(index: number): AsyncGenerator<Uint8Array> {
    const first = index * count
    const hashes = await tree.hashes(1, first / RUN_ENTRIES, count / RUN_ENTRIES)
    for (let run = 0; run < count / RUN_ENTRIES; run++) {
      signal.throwIfAborted()
      const before = performance.now()
      const entries = (await tree.entries(first + run * RUN_ENTRIES, RUN_ENTRIES)).map(encodeLogEntry)
      if (!equalBytes(runRoot(entries), hashes.subarray(run * HASH_BYTES, (run + 1) * HASH_BYTES)))
        throw new Error(
          `the entries from ${first + run * RUN_ENTRIES} on are not those that the log has hashed: the database is damaged`,
        )
      const bytes = writeEntryBundle(entries)
      await sleep(performance.now() - before, undefined, { signal })
      yield bytes
    }
  }

  async function make(index: number, file: string): Promise<void> {
    const temporary = `${file}.new`
    await pipeline(compressRuns(runsOf(index)), createWriteStream(temporary, { flush: true }), { signal })
    await rename(temporary, file)
    await syncFolder(folder)
  }

  async function seqAt(index: number): Promise<number> {
    const [entry] = await tree.entries(index, 1)
    return entry!.upstreamSeq ?? index + 1
  }

  async function makeMissing(): Promise<void> {
    await mkdir(folder, { recursive: true })
    const present = new Set(await readdir(folder))
    for (;;) {
      arrived = 0
      const size = (await tree.checkpoint())?.size ?? 0
      const index = bundles.length
      if (size < (index + 1) * count) {
        awaited = (index + 1) * count - size
        // What arrived while the log answered may be what was missing.
        if (arrived < awaited) return
        continue
      }
      const root = await tree.hashes(level, index, 1)
      const file = fileOf(index, root)
      if (!present.has(basename(file))) await make(index, file)
      const { size: bytes } = await stat(file)
      const [firstSeq, lastSeq] = [await seqAt(index * count), await seqAt((index + 1) * count - 1)]
      bundles.push({ firstSeq, lastSeq, count, bytes, root })
    }
  }

  let retry: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  let isAskedFor = false
  function start(): void {
    clearTimeout(retry)
    isAskedFor = true
    running ??= run()
  }

  async function run(): Promise<void> {
    try {
      while (isAskedFor) {
        isAskedFor = false
        await makeMissing()
      }
    } catch (error) {
      if (signal.aborted) return
      onFailure(error)
      retry = setTimeout(start, RETRY_MS)
      retry.unref()
    } finally {
      running = undefined
    }
  }

  const unsubscribe = store.subscribe((operations, withdrawals) => {
    // A notice is an entry, and so may be what it set aside: a look too many costs nothing.
    arrived += operations.length
    for (const withdrawal of withdrawals) arrived += 1 + withdrawal.operations.length
    if (arrived >= awaited) start()
  })
  start()
  return {
    within: (size) => bundles.slice(0, Math.floor(size / count)),
    async read(index) {
      const bundle = bundles[index]
      if (bundle === undefined) return undefined
      const stream = createReadStream(fileOf(index, bundle.root))
      try {
        await new Promise((resolve, reject) => stream.once('open', resolve).once('error', reject))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
        bundles.length = Math.min(bundles.length, index)
        start()
        return undefined
      }
      return { bundle, body: Readable.toWeb(stream) as ReadableStream }
    },
    idle: async () => await running,
    async [Symbol.asyncDispose]() {
      unsubscribe()
      clearTimeout(retry)
      stopped.abort()
      await running
    },
  }
}
