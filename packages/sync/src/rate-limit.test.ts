import assert from 'node:assert/strict'
import test from 'node:test'
import { createManualClock } from '@imago/sim/clock'
import { createRateLimit } from './rate-limit.ts'

test('each key once per interval', () => {
  const clock = createManualClock()
  const may = createRateLimit(1000, clock.now)
  assert.deepEqual(['a', 'a', 'b'].map(may), [true, false, true])
  clock.advance(999)
  assert.equal(may('a'), false)
  clock.advance(1)
  assert.deepEqual(['a', 'a'].map(may), [true, false])
})

test('not more keys than are remembered, until the oldest are over', () => {
  const clock = createManualClock()
  const may = createRateLimit(1000, clock.now)
  const granted = Array.from({ length: 10_050 }, (_, n) => may(`did ${n}`)).filter(Boolean)
  assert.equal(granted.length, 10_000)
  clock.advance(1000)
  assert.equal(may('one more'), true)
})

test('a clock that is set back does not stop everything until it has caught up', () => {
  let now = 10_000_000
  const may = createRateLimit(1000, () => now)
  assert.deepEqual(['a', 'a'].map(may), [true, false])
  now -= 500
  assert.equal(may('a'), false)
  now -= 3_600_000
  assert.deepEqual(['a', 'a'].map(may), [true, false])
})
