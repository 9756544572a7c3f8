import assert from 'node:assert/strict'
import test from 'node:test'
import { openSqliteLog } from '@imago/log/sqlite'
import { openDatabase } from '../database/database.ts'
import { EVENT_TABLE, jumpSequence, newSequence, sequenceAfterRestore, sequenceHead } from './sequence.ts'

const entry = { key: 'did:web:a.test', encode: () => new Uint8Array(1) }
const now = () => 5

test('[F7] a stream that was restored goes on beyond all that can have been given since, by the clock or the margin', async () => {
  using database = openDatabase(':memory:')
  assert.equal(sequenceHead(database), undefined)
  const log = openSqliteLog(database.sqlite, { table: EVENT_TABLE, now, startAfter: newSequence(1_000_000) })
  const [first] = await log.append([entry])
  assert.equal(first!.seq, 1_000_001)
  // A backup of this moment; the server went on for an hour at 500 events a second.
  const restoredAt = 1_000_000 + 3_600_000
  const lost = first!.seq + 3600 * 500
  const beyond = sequenceAfterRestore(sequenceHead(database)!, 1_000_000, restoredAt)
  assert.ok(beyond > lost)
  assert.deepEqual(jumpSequence(database, beyond), { before: first!.seq, after: beyond })
  await using restored = openSqliteLog(database.sqlite, { table: EVENT_TABLE, now })
  assert.equal((await restored.append([entry]))[0]!.seq, beyond + 1)
})

test('a clock that went back does not make numbers go back, and a jump never does', () => {
  assert.ok(sequenceAfterRestore(2_000_000, 5000, 1) > 2_000_000)
  using database = openDatabase(':memory:')
  assert.deepEqual(jumpSequence(database, 70), { before: 0, after: 70 })
  assert.deepEqual(jumpSequence(database, 50), { before: 70, after: 70 })
  assert.equal(sequenceHead(database), 70)
})
