import { CursorError } from './errors.ts'
import type { LogEntry, ReadableLog } from './event-log.ts'
import { createFramePage, type MessageOf, selectFrames } from './frame-page.ts'
import { createFrameRing } from './frame-ring.ts'
import { frame, type MessageOpcode } from './web-socket-frame.ts'

export interface FanOutOptions {
  /** Kind of WebSocket message: `binary` for CBOR, `text` for JSON. */
  readonly opcode: MessageOpcode
  /** Bytes of recent messages kept framed for readers near the head. Default 16 MiB. */
  readonly ringBytes?: number
  /** About how many bytes a reader is given at a time. Default 256 KiB. */
  readonly batchBytes?: number
  /** What is sent for an entry, where that is not its stored payload; `undefined` sends nothing. Called once per entry near the head. */
  readonly messageOf?: MessageOf
}

export interface FanOutReadOptions {
  /**
   * Number of the last event the reader has seen: it gets those after. `undefined` begins with the next event; 0 with
   * the oldest that is kept.
   */
  readonly cursor?: number | undefined
  /** Ends the reader. A reader that waits for events ends in no other way. */
  readonly signal: AbortSignal
  /** Which entries the reader wants. Asked again for every entry, so it may change its mind. Default: all. */
  readonly select?: ((entry: LogEntry) => boolean) | undefined
  /**
   * Payload of the message that tells the reader that events after its cursor are gone, sent before the oldest that is
   * kept. May throw to end the stream instead. Default: no message.
   */
  readonly onOutdated?: ((oldest: number) => Uint8Array) | undefined
}

/** One log, any number of readers, each at its own pace. */
export interface FanOut extends Disposable {
  /**
   * Batches of framed messages, ready for the socket: every selected entry after the cursor exactly once, in order.
   * Asking for the next batch is what moves the reader, so a slow one costs no memory but the batch it holds.
   * @throws {CursorError} `FutureCursor`, from the first step, when the cursor is above the head.
   * @see https://atproto.com/specs/event-stream#sequence-numbers
   */
  read(options: FanOutReadOptions): AsyncGenerator<readonly Uint8Array[]>
  /** Readers that have begun and not ended. */
  readonly readers: number
  /** Drops the entries of a key from memory, after they were removed from the log. */
  forget(key: string): void
}

/** A reader that waits for the next event. */
interface Sleeper {
  wake(): void
}

const DEFAULT_RING_BYTES = 16 * 1024 * 1024
const DEFAULT_BATCH_BYTES = 256 * 1024

/**
 * Lets many readers follow one log. Near the head they share one ring of messages, framed once; behind it they read the
 * log itself. There is no queue per reader: each remembers one number.
 */
export function createFanOut(log: ReadableLog, options: FanOutOptions): FanOut {
  const { opcode, messageOf, ringBytes = DEFAULT_RING_BYTES, batchBytes = DEFAULT_BATCH_BYTES } = options
  const ring = createFrameRing({ head: log.head, opcode, messageOf, maxBytes: ringBytes })
  // Arrays, and one listener per reader for its whole life: a Set or an AbortSignal that is filled and emptied with every
  // event leaves tables behind that hold on to one another, and make each collection of garbage copy them all.
  let sleepers: Sleeper[] = []
  let wakeUpIsDue = false
  let readers = 0
  let disposed = false

  function wakeAll(): void {
    wakeUpIsDue = false
    const woken = sleepers
    sleepers = []
    for (const { wake } of woken) wake()
  }

  const unsubscribe = log.subscribe((entries) => {
    ring.push(entries)
    // However many batches one turn of the event loop brings, each reader wakes once.
    if (wakeUpIsDue || sleepers.length === 0) return
    wakeUpIsDue = true
    setImmediate(wakeAll)
  })

  /** Until something is appended, or the reader is told to end. */
  function sleep(sleeper: Sleeper): Promise<void> {
    return new Promise((resolve) => {
      sleeper.wake = resolve
      sleepers.push(sleeper)
    })
  }

  async function* follow(start: number, options: FanOutReadOptions): AsyncGenerator<readonly Uint8Array[]> {
    const { signal, select, onOutdated } = options
    if (start > log.head)
      throw new CursorError(
        'FutureCursor',
        `cursor ${start} is in the future: the newest event is ${log.head}`,
      )
    let position = start
    // No event has number 0, so it can only mean the beginning: nothing to be told about.
    if (start <= 0) position = log.oldest - 1
    const sleeper: Sleeper = { wake() {} }
    const abort = () => {
      const place = sleepers.indexOf(sleeper)
      if (place !== -1) sleepers.splice(place, 1)
      sleeper.wake()
    }
    signal.addEventListener('abort', abort)
    readers++
    try {
      while (!signal.aborted && !disposed) {
        if (position >= ring.floor) {
          if (position >= ring.last) {
            await sleep(sleeper)
            continue
          }
          const stretch = ring.take(position, batchBytes, select)
          position = stretch.position
          if (stretch.frames.length > 0) yield stretch.frames
          continue
        }
        if (position + 1 < log.oldest) {
          // Also when retention overtakes a reader that has fallen far behind: it must learn of the gap.
          const { oldest } = log
          if (onOutdated) yield [frame(onOutdated(oldest), opcode)]
          position = oldest - 1
          continue
        }
        const { head, oldest } = log
        const entries = await log.read(position, { bytes: batchBytes })
        if (log.oldest !== oldest && position + 1 < log.oldest) continue
        if (entries.length === 0) {
          // All that lay between was removed by key.
          position = head
          continue
        }
        const page = createFramePage(entries, opcode, messageOf)
        position = page.lastSeq
        const frames = selectFrames(page, 0, entries.length, select)
        if (frames.length > 0) yield frames
      }
    } finally {
      signal.removeEventListener('abort', abort)
      readers--
    }
  }

  return {
    // The place of a live reader is the head at the time it asked, not at the time it first waits.
    read: (options) => follow(options.cursor ?? log.head, options),
    get readers() {
      return readers
    },
    forget: (key) => ring.forget(key),
    [Symbol.dispose]: () => {
      disposed = true
      unsubscribe()
      wakeAll()
    },
  }
}
