import assert from 'node:assert/strict'
import test from 'node:test'
import { vectorTest } from '@imago/sim/infrastructure'
import fc from 'fast-check'
import {
  datetimeFromMs,
  isDatetime,
  isLenientDatetime,
  parseDatetime,
  tryParseDatetime,
  tryParseDatetimeMs,
} from './datetime.ts'
import { InvalidIdentifierError } from './invalid-identifier-error.ts'

const FIRST_MS = Date.parse('0000-01-01T00:00:00.000Z')
const LAST_MS = Date.parse('9999-12-31T23:59:59.999Z')

vectorTest('datetimes of the interoperability vectors', ({ lines }) => {
  for (const line of lines('atproto-interop-tests/syntax/datetime_syntax_valid.txt')) {
    assert(isDatetime(line), line)
    assert.equal(tryParseDatetimeMs(line), Date.parse(line), line)
  }
  for (const list of ['datetime_syntax_invalid.txt', 'datetime_parse_invalid.txt'])
    for (const line of lines(`atproto-interop-tests/syntax/${list}`)) assert(!isDatetime(line), line)
})

test('every moment reads back as it was written', () => {
  fc.assert(
    fc.property(fc.integer({ min: FIRST_MS, max: LAST_MS }), (ms) => {
      assert.equal(tryParseDatetimeMs(datetimeFromMs(ms)), ms)
    }),
    { seed: 1, numRuns: 500 },
  )
  for (const ms of [FIRST_MS, LAST_MS, 0, -1]) assert.equal(tryParseDatetimeMs(datetimeFromMs(ms)), ms)
})

test('a moment outside the years 0000 to 9999 has no datetime', () => {
  for (const ms of [FIRST_MS - 1, LAST_MS + 1, Number.NaN, Number.POSITIVE_INFINITY])
    assert.throws(() => datetimeFromMs(ms), RangeError)
})

test('an offset is subtracted', () => {
  fc.assert(
    fc.property(fc.constantFrom('+', '-'), fc.nat(23), fc.nat(59), (sign, hours, minutes) => {
      const two = (value: number) => String(value).padStart(2, '0')
      const text = `2026-03-01T00:30:00${sign}${two(hours)}:${two(minutes)}`
      const expected = sign === '-' && hours + minutes === 0 ? undefined : Date.parse(text)
      assert.equal(tryParseDatetimeMs(text), expected, text)
    }),
    { seed: 2, numRuns: 200 },
  )
  for (const zone of ['+24:00', '+00:60', '-00:00', '+0000', '+00', 'z', '', 'ZZ', '+00:00Z', ' Z', '+-1:00'])
    assert(!isDatetime(`2026-03-01T00:30:00${zone}`), zone)
})

test('the calendar is the real one', () => {
  for (const day of ['2024-02-29', '2000-02-29', '0000-02-29', '2026-04-30', '2026-12-31'])
    assert(isDatetime(`${day}T00:00:00Z`), day)
  for (const day of ['2026-02-29', '1900-02-29', '2026-04-31', '2026-01-32', '2026-00-01', '2026-01-00'])
    assert(!isDatetime(`${day}T00:00:00Z`), day)
  for (const time of ['24:00:00', '23:60:00', '23:59:60']) assert(!isDatetime(`2026-01-01T${time}Z`), time)
})

test('an offset may not lead out before the year 0000', () => {
  assert(!isDatetime('0000-01-01T00:00:00+00:01'))
  assert(isDatetime('0000-01-01T00:00:00-00:01'))
  assert(isDatetime('0000-01-01T00:01:00+00:01'))
})

test('a fraction has 1 to 20 digits, of which the first three count', () => {
  const withFraction = (digits: string) => `2026-01-01T00:00:00.${digits}Z`
  assert(isDatetime(withFraction('1'.repeat(20))))
  assert(!isDatetime(withFraction('1'.repeat(21))))
  assert(!isDatetime(withFraction('')))
  const second = Date.UTC(2026, 0, 1)
  for (const [digits, ms] of [
    ['1', 100],
    ['12', 120],
    ['123', 123],
    ['1239', 123],
    ['0009', 0],
  ] as const)
    assert.equal(tryParseDatetimeMs(withFraction(digits)), second + ms, digits)
})

/** The same answer by other means: a regular expression and the platform, less what the platform lets pass. */
function oracleMs(text: string): number {
  const shape = /^(\d{4}-\d\d-\d\d)T(?!24)\d\d:\d\d:\d\d(\.\d{1,20})?(Z|[+-]\d\d:\d\d)$/.exec(text)
  if (shape === null || shape[3] === '-00:00') return Number.NaN
  const day = new Date(`${shape[1]}T00:00:00Z`)
  const rollsOver = Number.isNaN(day.getTime()) || !day.toISOString().startsWith(shape[1]!)
  return rollsOver ? Number.NaN : Date.parse(text)
}

test('a datetime with a few characters changed is read as the oracle reads it', () => {
  const text = '2026-01-31T12:34:56.789+01:30'
  const replacement = fc.oneof(
    fc.constantFrom(...'0123456789'),
    fc.string({ maxLength: 2, unit: 'binary-ascii' }),
  )
  const changes = fc.array(fc.tuple(fc.nat(text.length - 1), replacement), { minLength: 1, maxLength: 3 })
  let readable = 0
  fc.assert(
    fc.property(changes, (edits) => {
      let value = text
      for (const [at, characters] of edits) value = value.slice(0, at) + characters + value.slice(at + 1)
      const expected = oracleMs(value)
      if (!Number.isNaN(expected)) readable++
      assert.equal(tryParseDatetimeMs(value) ?? Number.NaN, expected, JSON.stringify(value))
    }),
    { seed: 3, numRuns: 2000 },
  )
  assert(readable > 100, `only ${readable} of the changed datetimes were datetimes`)
})

test('records of early clients may lack the zone, and nothing else', () => {
  assert(isLenientDatetime('2026-01-31T12:00:00.000'))
  assert(isLenientDatetime('2026-01-31T12:00:00Z'))
  assert(!isLenientDatetime('2026-01-31T12:00'))
  assert(!isLenientDatetime('2026-01-31'))
  assert(!isLenientDatetime(undefined))
})

test('parsing answers the same string, or throws', () => {
  assert.equal(parseDatetime('2026-01-31T12:00:00Z'), '2026-01-31T12:00:00Z')
  assert.equal(tryParseDatetime('2026-01-31'), undefined)
  assert.equal(tryParseDatetimeMs(new Date()), undefined)
  assert.throws(() => parseDatetime('yesterday'), InvalidIdentifierError)
})
