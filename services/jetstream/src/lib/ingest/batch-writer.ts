import type { EventLog } from '@imago/log'
import type { Draft } from './translate-frame.ts'

/** Puts events into the log, as many at a time as came while the flush before was under way. */
export interface BatchWriter {
  /**
   * Takes the events of one frame, which reach the log together or not at all. Resolves once there is room for more,
   * which is at once as a rule.
   * @throws what the log threw, for good: nothing may follow an event that was lost.
   */
  write(drafts: readonly Draft[]): void | Promise<void>
  /** Resolves when everything taken is durable. */
  flushed(): Promise<void>
}

/** Text that may wait before the relay has to: a few frames of the largest kind. */
const MAX_WAITING_CHARACTERS = 8 * 1024 * 1024

/** @param onFailure called once, as soon as the log refuses */
export function createBatchWriter(log: Pick<EventLog, 'append'>, onFailure: () => void): BatchWriter {
  let waiting: Draft[] = []
  let waitingCharacters = 0
  let writing: Promise<void> | undefined
  let failure: { readonly error: unknown } | undefined

  async function writeAll(): Promise<void> {
    try {
      while (waiting.length > 0) {
        const batch = waiting
        waiting = []
        waitingCharacters = 0
        await log.append(batch)
      }
    } catch (error) {
      failure = { error }
      onFailure()
    } finally {
      writing = undefined
    }
  }

  async function flushed(): Promise<void> {
    await writing
    if (failure) throw failure.error
  }

  return {
    write: (drafts) => {
      if (failure) throw failure.error
      for (const draft of drafts) {
        waiting.push(draft)
        waitingCharacters += draft.characters
      }
      if (waiting.length > 0) writing ??= writeAll()
      if (waitingCharacters > MAX_WAITING_CHARACTERS) return flushed()
    },
    flushed,
  }
}
