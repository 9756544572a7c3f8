import { type BlockSource, readCar } from '@imago/data'
import type { Did } from '@imago/syntax'
import { readEvent } from './event-summary.ts'
import { type EventRow, eventsOf, type Statements } from './repo-tables.ts'

/**
 * Blocks of a repository that its own events still hold: commits, nodes and records of the replay window. Events are
 * looked through when the first block is asked for, and each is read again when it has one.
 */
export function openEventBlocks(sql: Statements, did: Did): BlockSource {
  let seqs: Map<string, number> | undefined

  function blocksOf(row: EventRow) {
    try {
      const event = readEvent(row)
      return event.kind === 'head' ? readCar(event.blocks).blocks : undefined
    } catch {
      return undefined
    }
  }

  function index(): Map<string, number> {
    const found = new Map<string, number>()
    for (const row of eventsOf(sql, did))
      for (const { cid } of blocksOf(row) ?? []) found.set(cid.toString(), row.seq)
    return found
  }

  const select = sql.prepare('SELECT seq, key, payload FROM event WHERE seq = ?')
  return {
    get(cid) {
      seqs ??= index()
      const seq = seqs.get(cid.toString())
      return seq === undefined ? undefined : blocksOf(select.get(seq) as unknown as EventRow)?.get(cid)
    },
  }
}
