import assert from 'node:assert/strict'
import test from 'node:test'
import { createRandom } from '@imago/sim/random'
import { openDatabase } from './database.ts'
import { type PackedRow, packed, unpack } from './packed-rows.ts'

test('packed rows give every byte back, in order: zeros, invalid UTF-8 and nothing at all', () => {
  using database = openDatabase(':memory:')
  const { sqlite } = database
  sqlite.exec('CREATE TABLE part (id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT')
  const insert = sqlite.prepare('INSERT INTO part VALUES (?, ?)')
  const random = createRandom(5)
  const parts = [
    new Uint8Array(0),
    new Uint8Array([0, 0]),
    new Uint8Array([0xff, 0x00, 0xc0]),
    ...Array.from({ length: 300 }, () => random.bytes(random.int(300))),
  ]
  // Not in the order in which they were inserted.
  for (const id of random.shuffle([...parts.keys()])) insert.run(id, parts[id]!)
  const select = sqlite.prepare(
    `SELECT ${packed('data')} FROM (SELECT data FROM part WHERE id >= ? ORDER BY id LIMIT 1000)`,
  )
  assert.deepEqual(unpack(select.get(0) as unknown as PackedRow), parts)
  assert.deepEqual(unpack(select.get(9999) as unknown as PackedRow), [])
})
