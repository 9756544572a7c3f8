import type { HostProgress } from '../state/state-store.ts'

/** An event that was begun. */
export interface Ticket {
  readonly seq: number
  readonly bytes: number
  finished: boolean
}

/** Events of one host between the oldest unfinished one and the newest, at most. Bounds what has to be remembered. */
export const MAX_OPEN_EVENTS = 1000
const MAX_OPEN_BYTES = 16 * 1024 * 1024

/**
 * How far a host has been read: events begin in the order of its sequence and finish in any, and the cursor is the
 * high-water mark below which everything is finished. What has finished above it is remembered, so that after a restart
 * from the cursor nothing is done twice.
 */
export class HostPosition {
  readonly hostname: string
  #cursor: number
  #last: number
  /** From the oldest unfinished event on, in order. */
  #open: Ticket[] = []
  #openBytes = 0
  /** Finished in an earlier life of the process, and not come by again yet. */
  #remembered: Set<number>
  #waiting: (() => void)[] = []

  constructor({ hostname, cursor, finished }: HostProgress) {
    this.hostname = hostname
    this.#cursor = cursor
    this.#last = cursor
    this.#remembered = new Set(finished)
  }

  /** The number to read on from. */
  get cursor(): number {
    return this.#cursor
  }

  /** Number of the newest event that has come. */
  get last(): number {
    return this.#last
  }

  /** Takes the next event; `undefined` for one that was done before, and is to be passed over. */
  begin(seq: number, bytes: number): Ticket | undefined {
    if (seq <= this.#last) return undefined
    this.#last = seq
    const ticket: Ticket = { seq, bytes, finished: this.#remembered.delete(seq) }
    this.#open.push(ticket)
    this.#openBytes += bytes
    if (!ticket.finished) return ticket
    this.#advance()
    return undefined
  }

  finish(ticket: Ticket): void {
    ticket.finished = true
    this.#advance()
  }

  /** Notes an event of the log that may not be in the state yet: what {@link begin} and {@link finish} did before a crash. */
  recall(seq: number): void {
    if (seq <= this.#cursor) return
    this.#remembered.add(seq)
    // No more than so many were ever open, so the oldest of too many has nothing unfinished below it.
    if (this.#remembered.size > MAX_OPEN_EVENTS) {
      const oldest = Math.min(...this.#remembered)
      this.#remembered.delete(oldest)
      this.#cursor = oldest
      this.#last = oldest
    }
  }

  /** Begins again with the host's oldest event. Nothing may be open. */
  restart(): void {
    this.#cursor = 0
    this.#last = 0
    this.#remembered.clear()
  }

  /** Resolves when there is room for another event. */
  async room(): Promise<void> {
    while (this.#isFull) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** Resolves when nothing is open. */
  async idle(): Promise<void> {
    while (this.#open.length > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  get hasRoom(): boolean {
    return !this.#isFull
  }

  get #isFull(): boolean {
    return this.#open.length >= MAX_OPEN_EVENTS || this.#openBytes >= MAX_OPEN_BYTES
  }

  /** What is to be stored. */
  progress(): HostProgress {
    const above = this.#open.filter(({ finished }) => finished).map(({ seq }) => seq)
    const remembered = [...this.#remembered].filter((seq) => seq > this.#last)
    return {
      hostname: this.hostname,
      cursor: this.#cursor,
      finished: [...above, ...remembered].sort((a, b) => a - b),
    }
  }

  #advance(): void {
    let done = 0
    while (this.#open[done]?.finished) this.#openBytes -= this.#open[done++]!.bytes
    if (done === 0) return
    this.#cursor = this.#open[done - 1]!.seq
    this.#open.splice(0, done)
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}
