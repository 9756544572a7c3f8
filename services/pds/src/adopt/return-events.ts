import type { DatabaseSync } from 'node:sqlite'
import { type DataMap, encode } from '@imago/data'
import type { Did } from '@imago/syntax'
import { decodeFrame } from '@imago/xrpc/frames'
import { EVENT_TABLE, sequenceHead } from '../events/sequence.ts'
import { lastSequence } from './carry-events.ts'
import { timeToReference } from './reference-times.ts'

/** Kinds of events as the reference's table calls them. */
const KINDS: Readonly<Record<string, string>> = {
  '#commit': 'append',
  '#sync': 'sync',
  '#identity': 'identity',
  '#account': 'account',
}

interface Row {
  seq: number
  time: number
  key: string
  payload: Uint8Array
}

/**
 * Appends the events that were sent here to the reference's table, each under its number, so that readers of the stream
 * do not notice who serves it. In one transaction.
 * @param options.after the last number that the reference gave.
 * @returns the last number there.
 */
export function returnEvents(
  ours: DatabaseSync,
  sequencer: DatabaseSync,
  {
    after,
    removed,
    dryRun,
    nowMs,
  }: { after: number; removed: readonly Did[]; dryRun: boolean; nowMs: number },
): number {
  const insert = sequencer.prepare(
    'INSERT OR IGNORE INTO repo_seq (seq, did, eventType, event, sequencedAt) VALUES (?, ?, ?, ?, ?)',
  )
  const rows = ours.prepare(`SELECT seq, time, key, payload FROM ${EVENT_TABLE} WHERE seq > ? ORDER BY seq`)
  const head = sequenceHead({ sqlite: ours }) ?? after
  sequencer.exec('BEGIN IMMEDIATE')
  try {
    // Of a deleted account only the event that says so stays, and that one is ours.
    for (const did of removed)
      sequencer.prepare('DELETE FROM repo_seq WHERE did = ? AND seq <= ?').run(did, after)
    for (const { seq, time, key, payload } of rows.iterate(after) as Iterable<unknown> as Iterable<Row>) {
      const frame = decodeFrame(payload)
      const kind = frame.kind === 'message' ? KINDS[frame.type] : undefined
      if (frame.kind !== 'message' || kind === undefined) continue
      const { seq: _number, time: _time, ...body } = frame.body as DataMap
      insert.run(seq, key, kind, encode(body), timeToReference(time))
    }
    const top = sequencer.prepare('SELECT max(seq) AS seq FROM repo_seq').get() as { seq: number | null }
    if ((top.seq ?? 0) < head) {
      // It goes on after its newest row: there has to be one beyond all that we gave. This one asks for nothing but to
      // look up an identity once more.
      const someone = ours.prepare('SELECT did FROM repo LIMIT 1').get() as { did: string } | undefined
      if (someone !== undefined)
        insert.run(head + 1, someone.did, 'identity', encode({ did: someone.did }), timeToReference(nowMs))
    }
    const sequence = lastSequence(sequencer)
    sequencer.exec(dryRun ? 'ROLLBACK' : 'COMMIT')
    return sequence
  } catch (error) {
    if (sequencer.isTransaction) sequencer.exec('ROLLBACK')
    throw error
  }
}
