import assert from 'node:assert/strict'
import test from 'node:test'
import { createManualClock } from '@imago/sim/clock'
import { vectorTest } from '@imago/sim/infrastructure'
import fc from 'fast-check'
import { InvalidIdentifierError } from './invalid-identifier-error.ts'
import {
  createTidClock,
  isTid,
  MAX_CLOCK_ID,
  parseTid,
  type Tid,
  tidClockId,
  tidFromMicros,
  tidMicros,
  tryParseTid,
} from './tid.ts'

const anyMicros = fc.maxSafeNat()
const anyClockId = fc.nat(MAX_CLOCK_ID)

vectorTest('TIDs of the interoperability vectors', ({ lines }) => {
  for (const line of lines('atproto-interop-tests/syntax/tid_syntax_valid.txt')) assert(isTid(line), line)
  for (const line of lines('atproto-interop-tests/syntax/tid_syntax_invalid.txt')) assert(!isTid(line), line)
})

test('a TID is its 64 bits, five at a time', () => {
  const alphabet = '234567abcdefghijklmnopqrstuvwxyz'
  fc.assert(
    fc.property(anyMicros, anyClockId, (micros, clockId) => {
      let bits = (BigInt(micros) << 10n) | BigInt(clockId)
      let expected = ''
      for (let i = 0; i < 13; i++, bits >>= 5n) expected = alphabet[Number(bits & 31n)] + expected
      assert.equal(tidFromMicros(micros, clockId), expected)
    }),
    { seed: 1, numRuns: 300 },
  )
})

test('a TID gives back the time and the clock it was made of', () => {
  fc.assert(
    fc.property(anyMicros, anyClockId, (micros, clockId) => {
      const tid = tidFromMicros(micros, clockId)
      assert(isTid(tid), tid)
      assert.equal(tidMicros(tid), micros)
      assert.equal(tidClockId(tid), clockId)
    }),
    { seed: 2, numRuns: 300 },
  )
  assert.equal(tidFromMicros(0, 0), '2222222222222')
  assert.equal(tidFromMicros(Number.MAX_SAFE_INTEGER, MAX_CLOCK_ID), 'bzzzzzzzzzzzz')
})

test('TIDs sort as their times do, then as their clocks', () => {
  fc.assert(
    fc.property(anyMicros, anyClockId, anyMicros, anyClockId, (a, clockA, b, clockB) => {
      const order = Math.sign(a - b || clockA - clockB)
      const [left, right] = [tidFromMicros(a, clockA), tidFromMicros(b, clockB)]
      assert.equal(left < right ? -1 : left > right ? 1 : 0, order)
    }),
    { seed: 3, numRuns: 300 },
  )
})

test('a time or a clock id out of range is refused with its value', () => {
  for (const micros of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])
    assert.throws(() => tidFromMicros(micros, 0), RangeError)
  for (const clockId of [-1, 1024, 0.5, Number.NaN]) {
    assert.throws(() => tidFromMicros(0, clockId), RangeError)
    assert.throws(() => createTidClock({ nowMicros: () => 0, clockId }), RangeError)
  }
  assert.throws(() => tidFromMicros(2 ** 53, 0), /9007199254740992/)
})

test('a clock gives its time and its id', () => {
  const clock = createTidClock({ nowMicros: () => 1_700_000_000_000_000.5, clockId: 7 })
  const tid = clock.next()
  assert.equal(tidMicros(tid), 1_700_000_000_000_000)
  assert.equal(tidClockId(tid), 7)
})

test('a clock only goes forward, though its source stands still or steps back', () => {
  const source = createManualClock()
  const clock = createTidClock({ nowMicros: () => source.now() * 1000, clockId: 0 })
  const tids: Tid[] = []
  for (const step of [0, 0, 5, -60_000, 0, 0, 59_000, 2_000, -1]) {
    source.advance(step)
    tids.push(clock.next())
  }
  assert.deepEqual(tids, [...new Set(tids)].sort())
})

test('an answer exceeds the TID it is to follow', () => {
  const now = 1_700_000_000_000_000
  fc.assert(
    fc.property(fc.integer({ min: -3, max: 3 }), anyClockId, anyClockId, (distance, theirs, ours) => {
      const after = tidFromMicros(now + distance, theirs)
      const next = createTidClock({ nowMicros: () => now, clockId: ours }).next(after)
      assert(next > after)
      assert.equal(tidClockId(next), ours)
      assert(tidMicros(next) <= now + Math.max(0, distance + 1))
    }),
    { seed: 4, numRuns: 200 },
  )
})

test('a rev from the far future lifts its own repository and no other', () => {
  const now = 1_700_000_000_000_000
  const clock = createTidClock({ nowMicros: () => now, clockId: 0 })
  const future = tidFromMicros(now * 2, 3)
  const lifted = clock.next(future)
  assert(lifted > future)
  assert(clock.next(lifted) > lifted)
  assert(tidMicros(clock.next()) < now + 10)
})

test('no TID follows the last one', () => {
  const clock = createTidClock({ nowMicros: () => 0, clockId: 0 })
  for (const last of ['bzzzzzzzzzz22', 'jzzzzzzzzzzzz']) assert.throws(() => clock.next(last), RangeError)
})

test('parsing answers the same string, or throws', () => {
  assert.equal(parseTid('3jzfcijpj2z2a'), '3jzfcijpj2z2a')
  assert.equal(tryParseTid('3jzfcijpj2z2a\n'), undefined)
  assert.equal(tryParseTid(13), undefined)
  assert.throws(() => parseTid('self'), InvalidIdentifierError)
})

test('a time source that fails once does not spoil the clock', () => {
  const times = [1000, Number.NaN, 2000]
  const clock = createTidClock({ nowMicros: () => times.shift()!, clockId: 0 })
  assert.equal(tidMicros(clock.next()), 1000)
  assert.throws(() => clock.next(), RangeError)
  assert.equal(tidMicros(clock.next()), 2000)
})
