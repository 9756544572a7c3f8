import assert from 'node:assert/strict'
import test from 'node:test'
import { median, summarize, tail } from './figure.ts'

test('the median is the middle one, or the mean of the middle two', () => {
  assert.equal(median([9, 1, 5]), 5)
  assert.equal(median([4, 1, 3, 100]), 3.5)
  assert.throws(() => median([]), RangeError)
})

test('the spread is how far the outermost runs lie apart', () => {
  assert.deepEqual(summarize([130, 90, 100]), { median: 100, spread: 0.4 })
  assert.deepEqual(summarize([7]), { median: 7, spread: 0 })
})

test('a tail is that of the best run, and as uncertain as all of them', () => {
  assert.deepEqual(tail([130, 90, 100]), { best: 90, middle: 100, spread: 0.4 })
  // One moment of the machine moves neither the best nor the middle, and shows in the spread.
  assert.deepEqual(tail([10, 10, 60]), { best: 10, middle: 10, spread: 5 })
  assert.throws(() => tail([]), RangeError)
})
