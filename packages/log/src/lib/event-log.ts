/** One numbered event, as it lies in the log. */
export interface LogEntry {
  /** Its place: greater than the number of every entry before it. Numbers may have gaps, and are never used twice. */
  readonly seq: number
  /** What the event is about (a DID, as a rule), for filters and purges. At most 65,535 bytes of UTF-8. */
  readonly key: string
  /** The event itself, encoded once, when it got its number. */
  readonly payload: Uint8Array
}

/** An event on its way into the log. It learns its number only there, so it is encoded there. */
export interface NewEntry {
  readonly key: string
  /** Synchronous and pure. What it throws, `append` rejects with, and nothing of the batch is stored. */
  encode(seq: number): Uint8Array
}

export interface ReadLimit {
  /** Most entries to return. Default 1,000. */
  readonly entries?: number
  /** Stop once the payloads reach this many bytes; the entry that reaches it is still returned. Default 1 MiB. */
  readonly bytes?: number
}

/** What `append` numbers with: the number that follows `previous`. Must be a safe integer above it. */
export type NextSeq = (previous: number) => number

/** What readers and a fan-out need of a log, which anything can offer that is durable, numbered and told in order. */
export interface ReadableLog {
  /** Number of the newest durable entry, or the number the log starts after while it is empty (0, if not set). */
  readonly head: number
  /**
   * Retention has left everything from this number on. A reader who has seen `oldest - 1` or later misses nothing
   * (purges of single keys aside). 1 in a log that was never pruned.
   */
  readonly oldest: number
  /**
   * The entries that follow number `after`, in order, up to the head at the time of the call. Empty only when there are
   * none: a limit never holds back the first.
   * @throws {LogError} `Corrupt` where the log's own bytes are damaged.
   */
  read(after: number, limit?: ReadLimit): Promise<readonly LogEntry[]>
  /**
   * Calls `listener` with each durable batch, synchronously, before the `append` that made it resolves. Returns the
   * function that ends the subscription. A listener must not throw: what it throws stops the process.
   */
  subscribe(listener: (entries: readonly LogEntry[]) => void): () => void
}

/**
 * A durable, numbered sequence of events: the spine of every service. Adapters: a table in the service's own SQLite
 * file (`@imago/log/sqlite`), append-only files (`@imago/log/segments`), memory for tests (`@imago/log/memory`).
 * `@imago/log/contract` is the suite that each of them passes.
 *
 * - **Durability**: when `append` resolves, its entries survive `kill -9` and power loss. Nothing is announced to
 *   listeners, and nothing can be read, before it is durable.
 * - **Concurrency**: appends that overlap share one flush. Reads run beside appends and never wait for them. One
 *   process owns a log.
 * - **Ordering**: numbers follow the order of the `append` calls; entries of one call are neighbours; listeners hear
 *   every entry once, in order.
 * - **Errors**: what memory says is never ahead of the disk. A rejected `append` has changed nothing that a reader can
 *   see; whether its bytes reached the disk is decided when the log is opened again. {@link LogError} names the cause.
 */
export interface EventLog extends ReadableLog, AsyncDisposable {
  /** Stores all of the entries, or none. An empty list resolves at once and touches nothing. */
  append(entries: readonly NewEntry[]): Promise<readonly LogEntry[]>
  /**
   * Removes entries appended before `beforeMs` (ms since the Unix epoch), oldest first, never leaving a gap, in steps
   * that let others work in between. An adapter may keep more than asked (whole files). Returns how many went.
   */
  prune(beforeMs: number): Promise<number>
  /** Finishes what is under way and refuses what comes later. */
  [Symbol.asyncDispose](): Promise<void>
}

export const DEFAULT_READ_ENTRIES = 1000
export const DEFAULT_READ_BYTES = 1024 * 1024
