import type { DatabaseSync } from 'node:sqlite'
import type { NewEntry } from '@imago/log'
import { openSqliteLog } from '@imago/log/sqlite'
import type { Did } from '@imago/syntax'
import { encodeFrame } from '@imago/xrpc/frames'
import { EVENT_TABLE } from '../events/sequence.ts'
import { decodedEvent } from './decoded-event.ts'
import { timeFromReference, timeToReference } from './reference-times.ts'

/** The stream as it goes on. */
export interface CarriedEvents {
  /** The last number that the reference gave. */
  readonly sequence: number
  /** Events that can be replayed. */
  readonly events: number
}

/** Kinds of the reference's table, as they stand on the stream. Kinds of long ago are not replayed. */
const TYPES: Readonly<Record<string, string>> = {
  append: '#commit',
  sync: '#sync',
  identity: '#identity',
  account: '#account',
}

const BATCH = 500

interface Row {
  seq: number
  did: Did
  eventType: string
  event: Uint8Array
  sequencedAt: string
}

/**
 * Carries the events of the replay window, each under its number, and has the log go on after the last one that was
 * ever given. Goes on where an earlier run stopped.
 * @param target `undefined` counts only.
 * @param onUnreadable told whose event is left out, as damaged or of a kind of long ago; as part of a transaction.
 */
export async function carryEvents(
  source: DatabaseSync,
  target: DatabaseSync | undefined,
  sinceMs: number,
  onUnreadable: (did: Did) => void,
): Promise<CarriedEvents> {
  const sequence = lastSequence(source)
  const since = timeToReference(sinceMs)
  const first = source.prepare('SELECT min(seq) AS seq FROM repo_seq WHERE sequencedAt >= ?').get(since) as {
    seq: number | null
  }
  if (target === undefined) {
    const count = source.prepare('SELECT count(*) AS n FROM repo_seq WHERE sequencedAt >= ?').get(since)
    return { sequence, events: (count as { n: number }).n }
  }
  let time = 0
  let next = 0
  await using log = openSqliteLog(target, {
    table: EVENT_TABLE,
    now: () => time,
    nextSeq: () => next,
    startAfter: first.seq === null ? sequence : first.seq - 1,
  })
  const page = source.prepare(
    `SELECT seq, did, eventType, event, sequencedAt FROM repo_seq
      WHERE seq > ? AND seq >= ? AND invalidated = 0 ORDER BY seq LIMIT ${BATCH}`,
  )
  for (let after = log.head; first.seq !== null; ) {
    const rows = page.all(after, first.seq) as unknown as Row[]
    if (rows.length === 0) break
    target.exec('BEGIN IMMEDIATE')
    for (const row of rows) {
      const entry = entryOf(row)
      if (entry === undefined) {
        onUnreadable(row.did)
        continue
      }
      time = timeFromReference(row.sequencedAt, sinceMs)
      next = row.seq
      log.appendInTransaction([entry])
    }
    target.exec('COMMIT')
    log.publish([])
    after = rows.at(-1)!.seq
  }
  openSqliteLog(target, { table: EVENT_TABLE, now: () => 0, startAfter: sequence })
  const count = target.prepare(`SELECT count(*) AS n FROM ${EVENT_TABLE} WHERE seq <= ?`).get(sequence)
  return { sequence, events: (count as { n: number }).n }
}

/** The table of sequences remembers numbers whose rows are gone. */
export function lastSequence(sqlite: DatabaseSync): number {
  const row = sqlite
    .prepare(
      `SELECT max(coalesce((SELECT max(seq) FROM repo_seq), 0),
        coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'repo_seq'), 0)) AS seq`,
    )
    .get() as { seq: number }
  return row.seq
}

/** The frame that the reference would have sent: the body lies there without number and time. */
function entryOf({ did, eventType, event, sequencedAt }: Row): NewEntry | undefined {
  const type = TYPES[eventType]
  const body = decodedEvent(event)
  if (type === undefined || body === undefined) return undefined
  return { key: did, encode: (seq) => encodeFrame(type, { ...body, seq, time: sequencedAt }) }
}
