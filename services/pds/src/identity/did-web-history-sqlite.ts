import {
  DEFAULT_HISTORY_BOUNDS,
  type DidDocument,
  type DidWebHistory,
  type DidWebHistoryBounds,
  documentText,
  type SeenDocument,
} from '@imago/identity'
import type { Did } from '@imago/syntax'
import type { Database } from '../database/database.ts'

export interface SqliteDidWebHistoryOptions extends DidWebHistoryBounds {
  /** Told when documents could not be written, which are then not kept, or one could not be read. Must not throw. */
  readonly onFailure: (error: unknown) => void
}

/** What the table holds. */
interface Held {
  documents: number
  /** Of text, in UTF-8. */
  bytes: number
}

interface Waiting {
  readonly seen: SeenDocument
  readonly text: string
  /** Of the text, in UTF-8. */
  readonly bytes: number
}

/** One row, as far as making room goes. */
interface Size {
  readonly id: number
  readonly bytes: number
}

/**
 * A history in the service's own file, so that a restart forgets nothing. Accounts that live here go last when there is
 * no more room: otherwise whoever has a domain could push them out with made-up names, before taking theirs.
 *
 * Nobody waits for a write. Documents are gathered, and written after the turn of the event loop in which they came, in
 * one transaction that does not wait for the disk either. What a power cut takes of them is a change that is told once
 * more, or an alarm less; not worth an fsync in front of everybody who writes meanwhile.
 */
export function createSqliteDidWebHistory(
  database: Pick<Database, 'sqlite' | 'stage'>,
  { onFailure, ...bounds }: SqliteDidWebHistoryOptions,
): DidWebHistory & Disposable {
  const { maxDocuments, maxBytes } = { ...DEFAULT_HISTORY_BOUNDS, ...bounds }
  const { sqlite } = database
  const select = sqlite.prepare('SELECT seen_at, document FROM did_web WHERE did = ?')
  const remove = sqlite.prepare('DELETE FROM did_web WHERE did = ? RETURNING octet_length(document) AS bytes')
  const insert = sqlite.prepare('INSERT INTO did_web (did, seen_at, document) VALUES (?, ?, ?)')
  const removeRow = sqlite.prepare('DELETE FROM did_web WHERE id = ?')
  const [strangers, own] = ['NOT EXISTS', 'EXISTS'].map((isHere) =>
    sqlite.prepare(
      `SELECT id, octet_length(document) AS bytes FROM did_web
        WHERE ${isHere} (SELECT 1 FROM account WHERE account.did = did_web.did) ORDER BY id`,
    ),
  )
  let held = sqlite
    .prepare('SELECT count(*) AS documents, coalesce(sum(octet_length(document)), 0) AS bytes FROM did_web')
    .get() as unknown as Held
  const waiting = new Map<Did, Waiting>()
  let write: NodeJS.Immediate | undefined
  let closed = false

  const fits = ({ documents, bytes }: Held) => documents <= maxDocuments && bytes <= maxBytes

  function* leastRecentFirst(): Generator<Size> {
    yield* strangers!.iterate() as Iterable<never>
    yield* own!.iterate() as Iterable<never>
  }

  function makeRoom(after: Held): void {
    if (fits(after)) return
    const leaving: number[] = []
    for (const { id, bytes } of leastRecentFirst()) {
      leaving.push(id)
      after.documents--
      after.bytes -= bytes
      if (fits(after)) break
    }
    for (const id of leaving) removeRow.run(id)
  }

  function flush(): void {
    write = undefined
    const batch = [...waiting]
    waiting.clear()
    const after = { ...held }
    try {
      database.stage(() => {
        for (const [did, { seen, text, bytes }] of batch) {
          const before = remove.get(did) as { bytes: number } | undefined
          insert.run(did, seen.seenAt, text)
          after.documents += before === undefined ? 1 : 0
          after.bytes += bytes - (before?.bytes ?? 0)
        }
        makeRoom(after)
      })
      held = after
    } catch (error) {
      onFailure(error)
    }
  }

  function read(did: Did): SeenDocument | undefined {
    const row = select.get(did) as { seen_at: number; document: string } | undefined
    if (row === undefined) return undefined
    try {
      return { document: JSON.parse(row.document) as DidDocument, seenAt: row.seen_at }
    } catch (cause) {
      // The next good document takes its place: an identity must not be out of reach until then.
      onFailure(new Error(`what is kept of ${did} is not JSON`, { cause }))
      return undefined
    }
  }

  return {
    // Whoever still resolves while the server ends finds an empty history.
    last: async (did) => (closed ? undefined : (waiting.get(did)?.seen ?? read(did))),
    async put(did, seen) {
      const text = documentText(seen.document)
      if (closed || text === undefined) return
      const bytes = Buffer.byteLength(text)
      if (bytes > maxBytes) return
      // The map keeps the order in which they came last.
      waiting.delete(did)
      waiting.set(did, { seen, text, bytes })
      write ??= setImmediate(flush)
    },
    [Symbol.dispose]() {
      closed = true
      if (write === undefined) return
      clearImmediate(write)
      flush()
    },
  }
}
