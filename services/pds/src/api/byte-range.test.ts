import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { parseRange } from './byte-range.ts'

test('[B6] a range lies within the body, or is refused or ignored', () => {
  assert.deepEqual(parseRange('bytes=2-4', 10), { first: 2, last: 4 })
  assert.deepEqual(parseRange('bytes=2-', 10), { first: 2, last: 9 })
  assert.deepEqual(parseRange('bytes=-3', 10), { first: 7, last: 9 })
  assert.deepEqual(parseRange('bytes=-30', 10), { first: 0, last: 9 })
  for (const header of [null, 'bytes=-', 'bytes=a-b', 'bytes=4-2', 'bytes=1-2,3-4'])
    assert.equal(parseRange(header, 10), undefined)
  for (const [header, size] of [
    ['bytes=10-', 10],
    ['bytes=-0', 10],
    ['bytes=0-', 0],
    ['bytes=-1', 0],
  ] as const)
    assert.equal(parseRange(header, size), 'unsatisfiable')
})

test('whatever is asked for, the answer is inside', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(), fc.nat(), (first, last, size) => {
      const range = parseRange(`bytes=${first}-${last}`, size)
      if (typeof range !== 'object') return
      assert.ok(range.first >= 0 && range.first <= range.last && range.last < size)
    }),
    { seed: 1 },
  )
})
