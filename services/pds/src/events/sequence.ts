import { openSqliteLog } from '@imago/log/sqlite'
import type { Database } from '../database/database.ts'

/** Table of the log of events in the database. */
export const EVENT_TABLE = 'event'

/** More than any server can have given away in a second. Numbers are not scarce: there are 2⁵³. */
const MAX_EVENTS_PER_SECOND = 100_000
/** For clocks that are a little off. */
const SLACK_EVENTS = 10_000_000

/**
 * What a new stream begins after, so that it begins beyond any that this host may have had before: the time, in
 * milliseconds. A stream that gives fewer than a thousand numbers a second, on average over its life, never catches up
 * with the clock; so one that begins at a later moment begins above all that an earlier one ever gave, and nothing of the
 * earlier one has to be known.
 */
export const newSequence = (nowMs: number): number => Math.floor(nowMs)

/**
 * What the stream of a restored database has to go on after: beyond all that can have been given since the backup, which
 * relays have seen. They skip, or refuse, numbers that they know already.
 * @param head of the stream in the backup.
 * @param backupAt when it was made, in milliseconds.
 * @see https://atproto.com/specs/event-stream#sequence-numbers
 */
export function sequenceAfterRestore(head: number, backupAt: number, nowMs: number): number {
  const seconds = Math.max(0, Math.ceil((nowMs - backupAt) / 1000))
  return Math.max(head + SLACK_EVENTS + seconds * MAX_EVENTS_PER_SECOND, newSequence(nowMs))
}

/**
 * Has the stream go on after `beyond`, if it is not there already. Durable on return. For tools, while no server runs.
 * @returns the head before and after.
 */
export function jumpSequence(database: Database, beyond: number): { before: number; after: number } {
  const before = sequenceHead(database) ?? 0
  openSqliteLog(database.sqlite, { table: EVENT_TABLE, now: () => 0, startAfter: beyond })
  return { before, after: Math.max(before, beyond) }
}

/** The last number that was given; `undefined` in a database without a stream. */
export function sequenceHead({ sqlite }: Pick<Database, 'sqlite'>): number | undefined {
  const table = sqlite.prepare(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?`)
  if (table.get(`${EVENT_TABLE}_state`) === undefined) return undefined
  return (sqlite.prepare(`SELECT head FROM ${EVENT_TABLE}_state`).get() as { head: number } | undefined)?.head
}
