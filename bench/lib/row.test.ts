import assert from 'node:assert/strict'
import test from 'node:test'
import { formatBar, formatFigure, isFailure, judgeRow, type Measurement } from './row.ts'

const row = (changes: Partial<Measurement>): Measurement => ({
  name: 'work',
  unit: '/s',
  ours: 300,
  bar: { limit: 100 },
  ...changes,
})
const verdict = (changes: Partial<Measurement>) => judgeRow(row(changes)).verdict

test('of rates, more is better; of times and sizes, less', () => {
  assert.equal(verdict({ ours: 100 }), 'ok')
  assert.equal(verdict({ ours: 99.9 }), 'short')
  for (const unit of ['µs', 'ms', 's', 'MB', 'kB'] as const) {
    assert.equal(verdict({ unit, ours: 100 }), 'ok')
    assert.equal(verdict({ unit, ours: 100.1 }), 'short')
  }
})

test('the ratio is against the best peer, and above 1 when we are better', () => {
  const peers = { slow: 50, fast: 100 }
  const rate = judgeRow(row({ peers, bar: { timesPeer: 3 } }))
  assert.deepEqual([rate.verdict, rate.ratio, rate.peer], ['ok', 3, { name: 'fast', figure: 100 }])
  const time = judgeRow(row({ unit: 'µs', ours: 25, peers, bar: { timesPeer: 3 } }))
  assert.deepEqual([time.verdict, time.ratio, time.peer], ['short', 2, { name: 'slow', figure: 50 }])
})

test('of two bars, both have to hold', () => {
  const peers = { other: 100 }
  assert.equal(verdict({ peers, bar: { timesPeer: 3, limit: 300 } }), 'ok')
  assert.equal(verdict({ peers, bar: { timesPeer: 3, limit: 301 } }), 'short')
  assert.equal(verdict({ peers, bar: { timesPeer: 3.1, limit: 300 } }), 'short')
})

test('a slower machine gets as much more time as its yardstick takes, and a faster one no less', () => {
  const yardstick = { name: 'a signature', micros: 75, microsWhereSet: 50 }
  const time = { unit: 'µs', bar: { limit: 100 }, yardstick } as const
  assert.equal(verdict({ ...time, ours: 150 }), 'ok')
  assert.equal(verdict({ ...time, ours: 150.1 }), 'short')
  assert.equal(verdict({ yardstick, ours: 66.7 }), 'ok')
  assert.equal(verdict({ yardstick, ours: 66.6 }), 'short')
  const faster = { ...yardstick, micros: 25 }
  assert.equal(verdict({ ...time, yardstick: faster, ours: 100 }), 'ok')
  assert.equal(verdict({ ...time, yardstick: faster, ours: 100.1 }), 'short')
})

test('how a bar was scaled is told, and what came of it as it was set', () => {
  const yardstick = { name: 'a signature', micros: 63.9, microsWhereSet: 53 }
  const judge = (ours: number) =>
    judgeRow(row({ unit: 'µs', ours, bar: { limit: 140 }, yardstick, note: 'ten blocks' }))
  assert.equal(
    judge(150).note,
    'ten blocks; bar 140 µs × 1.21 (a signature takes 63.9 µs here, and 53 µs where bars were set): short without',
  )
  assert.match(judge(139).note!, /: ok without$/)
  assert.equal(formatBar(judge(150)), '≤ 169 µs')
  assert.deepEqual(judge(150).bar, { limit: 140 })
})

test('a yardstick scales limits of time alone, and has to have been measured', () => {
  const yardstick = { name: 'a signature', micros: 75, microsWhereSet: 50 }
  assert.throws(() => verdict({ yardstick, unit: 'MB' }), /there is none/)
  assert.throws(() => verdict({ yardstick, bar: { timesPeer: 2 }, peers: { other: 1 } }), /there is none/)
  for (const micros of [0, Number.NaN])
    assert.throws(() => verdict({ yardstick: { ...yardstick, micros } }), /has to take some time/)
})

test('a bar out of reach is answered by what is held to instead, and below that the row is short', () => {
  const bound = { bar: { timesPeer: 0.8 }, by: 'the library alone takes 90 of 100 µs' }
  const of = (ours: number) => judgeRow(row({ ours, peers: { library: 110 }, bar: { limit: 100 }, bound }))
  assert.equal(of(100).verdict, 'ok')
  assert.equal(of(100).note, undefined)
  assert.equal(of(90).verdict, 'bound')
  assert.match(of(90).note!, /^held to ≥ 0.8×: the library alone/)
  assert.equal(of(87).verdict, 'short')
  assert.equal(isFailure('bound', true), false)
  const yardstick = { name: 'a signature', micros: 100, microsWhereSet: 50 }
  const scaled = { ours: 41, yardstick, bound: { bar: { limit: 80 }, by: 'physics' } }
  assert.equal(verdict(scaled), 'bound')
  assert.equal(verdict({ ...scaled, ours: 39 }), 'short')
  assert.throws(() => judgeRow(row({ bound })), /no peer was measured/)
})

test('what measured nothing does not pass', () => {
  for (const ours of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
    assert.throws(() => verdict({ ours }), /figure of ours/)
  assert.throws(() => verdict({ peers: { other: 0 } }), /figure of other/)
  assert.throws(() => verdict({ bar: {} }), /has to have a bar/)
  assert.throws(() => verdict({ bar: { timesPeer: 2 } }), /no peer was measured/)
})

test('a row that could not be measured says why, and fails only where all is required', () => {
  const missing = judgeRow({ name: 'work', missing: 'no such tool' })
  assert.deepEqual(missing, { name: 'work', verdict: 'missing', note: 'no such tool' })
  assert.equal(isFailure('missing', false), false)
  assert.equal(isFailure('missing', true), true)
  assert.equal(isFailure('short', false), true)
  assert.equal(isFailure('ok', true), false)
})

test('figures keep three digits', () => {
  assert.equal(formatFigure(1136.4, '/s'), '1,136 /s')
  assert.equal(formatFigure(0.15243, 'ms'), '0.152 ms')
  assert.equal(formatFigure(60, 'µs'), '60 µs')
  assert.equal(formatFigure(12.345, 's'), '12.3 s')
  assert.equal(formatBar({ unit: 'µs', bar: { timesPeer: 2, limit: 60 } }), '≥ 2×, ≤ 60 µs')
  assert.equal(formatBar({ unit: '/s', bar: { limit: 7000 } }), '≥ 7,000 /s')
})
