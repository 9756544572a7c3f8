import type { LogEntry } from './event-log.ts'

type Listener = (entries: readonly LogEntry[]) => void

/** Those who want to hear of durable entries. */
export interface Listeners {
  subscribe(listener: Listener): () => void
  announce(entries: readonly LogEntry[]): void
}

export function createListeners(): Listeners {
  // A wrapper per subscription, so that one function may subscribe twice.
  const current = new Set<{ readonly listener: Listener }>()
  return {
    subscribe: (listener) => {
      const subscription = { listener }
      current.add(subscription)
      return () => void current.delete(subscription)
    },
    announce: (entries) => {
      for (const { listener } of current)
        try {
          listener(entries)
        } catch (error) {
          // The entries are durable: neither the append nor the other listeners may suffer. But a reader that lost
          // an event must not go on as if nothing had happened, so this ends the process as any stray throw does.
          queueMicrotask(() => {
            throw error
          })
        }
    },
  }
}
