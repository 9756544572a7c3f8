import { LogError } from './errors.ts'
import {
  DEFAULT_READ_BYTES,
  DEFAULT_READ_ENTRIES,
  type EventLog,
  type LogEntry,
  type NextSeq,
  type ReadLimit,
} from './event-log.ts'
import { createGroupCommit } from './group-commit.ts'
import { createListeners } from './listeners.ts'
import { diskFiles, type LogFile, type LogFiles } from './log-files.ts'
import { countUp, numberEntries } from './numbering.ts'
import {
  corrupt,
  extendIndex,
  offsetFor,
  readSegment,
  type SegmentIndex,
  scanSegment,
  type Take,
} from './segment.ts'
import { encodeBatch, entryBytes, type TimedEntry } from './segment-format.ts'
import {
  type ActiveSegment,
  createSegment,
  isUnborn,
  listSegments,
  openSealed,
  recoverActive,
  type Segment,
} from './segment-store.ts'

export interface SegmentLogOptions {
  /** Holds nothing but the log. Made if absent. */
  readonly folder: string
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number
  /** Default: the next whole number. */
  readonly nextSeq?: NextSeq
  /** Numbers up to this one are never given: a new log starts after it, an old one jumps over it. Default 0. */
  readonly startAfter?: number
  /** A segment that has reached this size is followed by a new one. Default 128 MiB. */
  readonly segmentBytes?: number
  /** About how much one flush writes at most. Default 1 MiB. */
  readonly flushBytes?: number
  /** Where the bytes go. Default: the file system. */
  readonly files?: LogFiles
}

const DEFAULT_SEGMENT_BYTES = 128 * 1024 * 1024
const DEFAULT_FLUSH_BYTES = 1024 * 1024
const READ_CHUNK_BYTES = 256 * 1024

/** What waits for a flush: entries that have their numbers, or the wish for a new segment. */
type Request = { readonly entries: readonly TimedEntry[] } | { readonly rotate: true }

interface Indexed {
  readonly index: SegmentIndex
  readonly bytes: number
}

/**
 * Opens the log that lies in a folder of append-only files, making it if there is none. A batch that a crash left
 * half-written is cut off, wherever in its bytes the crash came. After a failed write or fsync the log takes no more:
 * what the disk holds is only known when it is opened again.
 * @throws {LogError} `Corrupt` where durable bytes are damaged, `Locked` while another process has the folder.
 */
export async function openSegmentLog(options: SegmentLogOptions): Promise<EventLog> {
  const { folder, files = diskFiles, startAfter = 0 } = options
  await files.makeFolder(folder)
  await using resources = new AsyncDisposableStack()
  resources.use(files.lock(folder))

  const paths = await listSegments(files, folder)
  if (paths.length > 0 && (await isUnborn(files, paths.at(-1)!))) await files.remove(paths.pop()!)
  const last = paths.pop()
  const sealed: Segment[] = []
  for (const path of paths) sealed.push(await openSealed(files, path))
  const active =
    last === undefined
      ? await createSegment(files, folder, { base: startAfter, ordinal: 0, previousMs: 0 })
      : await recoverActive(files, last)

  return createSegmentLog({ ...options, files }, sealed, active, resources.move())
}

function createSegmentLog(
  options: SegmentLogOptions & { readonly files: LogFiles },
  openedSealed: readonly Segment[],
  openedActive: ActiveSegment,
  resources: AsyncDisposableStack,
): EventLog {
  const {
    folder,
    now,
    files,
    nextSeq = countUp,
    startAfter = 0,
    segmentBytes = DEFAULT_SEGMENT_BYTES,
    flushBytes = DEFAULT_FLUSH_BYTES,
  } = options
  const listeners = createListeners()
  const indexes = new WeakMap<Segment, Promise<Indexed>>()
  let sealed = openedSealed
  let active = openedActive
  let head = Math.max(active.head, startAfter)
  /** Number given last. Runs ahead of the head by what waits to be flushed; nobody outside sees it. */
  let given = head
  let failure: LogError | undefined
  let closed = false
  let pruning: Promise<unknown> = Promise.resolve()

  async function rotate(): Promise<void> {
    const full = active
    active = await createSegment(files, folder, {
      base: full.head,
      ordinal: full.header.ordinal + full.entries,
      previousMs: full.lastMs,
    })
    sealed = [...sealed, full]
    indexes.set(full, Promise.resolve({ index: full.index, bytes: full.bytes }))
    await full.file.close()
  }

  async function write(entries: readonly TimedEntry[]): Promise<void> {
    if (active.entries > 0 && active.bytes >= segmentBytes) await rotate()
    const batch = encodeBatch(active.header.marker, active.head, entries)
    await active.file.write(batch, active.bytes)
    await active.file.sync()
    // Durable: from here on to the announcement nothing may wait, so that nobody sees half of it.
    extendIndex(active.index, active.head, active.bytes)
    active.bytes += batch.length
    active.entries += entries.length
    active.head = head = entries.at(-1)!.entry.seq
    for (const { timeMs } of entries) {
      active.firstMs = Math.min(active.firstMs, timeMs)
      active.lastMs = Math.max(active.lastMs, timeMs)
    }
    listeners.announce(entries.map(({ entry }) => entry))
  }

  async function flush(batch: readonly Request[]): Promise<readonly undefined[]> {
    if (failure) throw failure
    const entries = batch.flatMap((request) => ('entries' in request ? request.entries : []))
    try {
      if (active.entries > 0 && batch.some((request) => 'rotate' in request)) await rotate()
      if (entries.length > 0) await write(entries)
    } catch (cause) {
      failure = new LogError(
        'Failed',
        `the log in ${folder} could not write, and takes no more: see to the disk, then start again`,
        { cause },
      )
      throw failure
    }
    return batch.map(() => undefined)
  }

  const requests = createGroupCommit<Request, undefined>({
    flush,
    maxRequests: Number.POSITIVE_INFINITY,
    weigh: (request) =>
      'entries' in request ? request.entries.reduce((sum, { entry }) => sum + entryBytes(entry), 0) : 0,
    maxWeight: flushBytes,
  })

  function assertOpen(): void {
    if (closed) throw new LogError('Closed', `the log in ${folder} is closed`)
  }

  /** The index of a full segment: known if this run filled it, otherwise made by reading it once. */
  function indexOf(segment: Segment, file: LogFile): Promise<Indexed> {
    const known = indexes.get(segment)
    if (known) return known
    const made = indexSealed(segment, sealed[sealed.indexOf(segment) + 1] ?? active, file)
    indexes.set(segment, made)
    made.catch(() => indexes.delete(segment))
    return made
  }

  /** Reads one segment; returns whether `take` wants more. */
  async function readFrom(segment: Segment, after: number, chunkBytes: number, take: Take): Promise<boolean> {
    const grown = segment === active ? { index: active.index, bytes: active.bytes } : undefined
    const file = await files.open(segment.path)
    try {
      const { index, bytes } = grown ?? (await indexOf(segment, file))
      const stretch = { start: offsetFor(index, after), end: bytes, chunkBytes }
      return await readSegment(file, segment.path, stretch, after, take)
    } finally {
      await file.close()
    }
  }

  async function read(after: number, limit: ReadLimit = {}): Promise<readonly LogEntry[]> {
    assertOpen()
    const { entries: maxEntries = DEFAULT_READ_ENTRIES, bytes: maxBytes = DEFAULT_READ_BYTES } = limit
    const found: LogEntry[] = []
    let bytes = 0
    const take: Take = (entry) => {
      found.push(entry)
      bytes += entry.payload.length
      return found.length < maxEntries && bytes < maxBytes
    }
    let position = after
    for (;;) {
      // Looked up anew each time: while a file is read, the log may begin another and drop the oldest.
      const segments = [...sealed, active]
      const segment = segments.findLast(({ header }) => header.base <= position) ?? segments[0]!
      const isNewest = segment === active
      try {
        const wantsMore = await readFrom(segment, position, Math.min(maxBytes, READ_CHUNK_BYTES), take)
        if (!wantsMore || isNewest) return found
      } catch (error) {
        const wasPruned = !isNewest && !sealed.includes(segment) && isNotFound(error)
        if (!wasPruned) throw error
      }
      const next = sealed.find(({ header }) => header.base > segment.header.base) ?? active
      position = Math.max(position, next.header.base)
    }
  }

  async function pruneSegments(beforeMs: number): Promise<number> {
    assertOpen()
    // Else a log that grows slowly would keep its oldest entries for as long as one segment takes to fill.
    if (active.entries > 0 && active.firstMs < beforeMs) await requests.submit({ rotate: true })
    let removed = 0
    for (;;) {
      const [oldest, next = active] = sealed
      if (!oldest || next.header.previousMs >= beforeMs) return removed
      sealed = sealed.slice(1)
      try {
        await files.remove(oldest.path)
        // One by one, so that no crash can bring back an older segment than one that is gone.
        await files.syncFolder(folder)
      } catch (error) {
        sealed = [oldest, ...sealed]
        throw error
      }
      removed += next.header.ordinal - oldest.header.ordinal
    }
  }

  return {
    get head() {
      return head
    },
    get oldest() {
      return (sealed[0] ?? active).header.base + 1
    },
    append: async (entries) => {
      assertOpen()
      if (failure) throw failure
      const numbered = numberEntries(entries, given, nextSeq)
      if (numbered.length === 0) return numbered
      given = numbered.at(-1)!.seq
      const timeMs = now()
      await requests.submit({ entries: numbered.map((entry) => ({ entry, timeMs })) })
      return numbered
    },
    read,
    subscribe: listeners.subscribe,
    prune: (beforeMs) => {
      const pruned = pruning.then(() => pruneSegments(beforeMs))
      pruning = pruned.catch(() => 0)
      return pruned
    },
    [Symbol.asyncDispose]: async () => {
      if (closed) return
      closed = true
      await requests.idle()
      await pruning
      await active.file.close()
      await resources.disposeAsync()
    },
  }
}

async function indexSealed(segment: Segment, next: Segment, file: LogFile): Promise<Indexed> {
  const { path, header } = segment
  const bytes = await file.size()
  const { soundBytes, head, index } = await scanSegment(file, path, header, bytes)
  if (soundBytes !== bytes) throw corrupt(path, soundBytes, 'a batch is not what was written')
  if (head !== next.header.base)
    throw corrupt(path, bytes, `it ends with entry ${head}, but the next segment follows ${next.header.base}`)
  return { index, bytes }
}

function isNotFound(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
