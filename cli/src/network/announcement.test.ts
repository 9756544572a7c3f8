import assert from 'node:assert/strict'
import test from 'node:test'
import { addressesAt } from './addresses.ts'
import { announcement } from './announcement.ts'

const facts = { addresses: addressesAt(20_000), dataPath: '/somewhere', elapsedMs: 1234, colour: false }

test('every address is told, and the last line begins with ready', () => {
  const lines = announcement(facts).trimEnd().split('\n')
  for (const port of [22_580, 22_582, 22_583, 22_470, 26_008])
    assert.equal(
      lines.filter((line) => line.startsWith('  ') && line.includes(`http://localhost:${port} `)).length,
      1,
    )
  assert.equal(lines.at(-1), 'ready after 1.2 s: http://localhost:22580')
})

test('columns begin at the same place, and without colour there are no control characters', () => {
  const text = announcement(facts)
  const rows = text.split('\n').filter((line) => /^ {2}\S.*http/.test(line))
  assert.equal(new Set(rows.map((row) => row.indexOf('http'))).size, 1)
  assert.equal(text.includes(String.fromCharCode(27)), false)
})
