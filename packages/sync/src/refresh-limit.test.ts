import assert from 'node:assert/strict'
import test from 'node:test'
import { createManualClock } from '@imago/sim/clock'
import { createRefreshLimit } from './refresh-limit.ts'

test('each key once per interval', () => {
  const clock = createManualClock()
  const mayRefresh = createRefreshLimit(1000, clock.now)
  assert.deepEqual(['a', 'a', 'b'].map(mayRefresh), [true, false, true])
  clock.advance(999)
  assert.equal(mayRefresh('a'), false)
  clock.advance(1)
  assert.deepEqual(['a', 'a'].map(mayRefresh), [true, false])
})

test('not more keys than are remembered, until the oldest are over', () => {
  const clock = createManualClock()
  const mayRefresh = createRefreshLimit(1000, clock.now)
  const granted = Array.from({ length: 10_050 }, (_, n) => mayRefresh(`did ${n}`)).filter(Boolean)
  assert.equal(granted.length, 10_000)
  clock.advance(1000)
  assert.equal(mayRefresh('one more'), true)
})
