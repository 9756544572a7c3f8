import type { Did } from '@imago/syntax'
import {
  DEFAULT_HISTORY_BOUNDS,
  type DidWebHistory,
  type DidWebHistoryBounds,
  documentText,
  type SeenDocument,
} from './did-web-history.ts'

interface Kept {
  readonly seen: SeenDocument
  readonly bytes: number
}

const utf8 = new TextEncoder()

/** A history that is kept for as long as the process lives. */
export function createMemoryHistory(bounds: DidWebHistoryBounds = {}): DidWebHistory {
  const { maxDocuments, maxBytes } = { ...DEFAULT_HISTORY_BOUNDS, ...bounds }
  /** The least recently put comes first. */
  const kept = new Map<Did, Kept>()
  let bytes = 0

  function remove(did: Did): void {
    bytes -= kept.get(did)?.bytes ?? 0
    kept.delete(did)
  }

  return {
    last: async (did) => kept.get(did)?.seen,
    async put(did, seen) {
      const text = documentText(seen.document)
      if (text === undefined) return
      const size = utf8.encode(text).length
      if (size > maxBytes) return
      remove(did)
      kept.set(did, { seen, bytes: size })
      bytes += size
      while (kept.size > maxDocuments || bytes > maxBytes) remove(kept.keys().next().value!)
    },
  }
}
