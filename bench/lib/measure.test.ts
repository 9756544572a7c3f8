import assert from 'node:assert/strict'
import test from 'node:test'
import { lastResult, measure, perSecond } from './measure.ts'

/** Work on a clock that only the work moves. */
function fakeCandidates(costs: Readonly<Record<string, (i: number) => number>>) {
  let now = 0
  const order: string[] = []
  const seen: Record<string, number[]> = {}
  const candidates = Object.fromEntries(
    Object.entries(costs).map(([name, cost]) => [
      name,
      (i: number) => {
        if (order.at(-1) !== name) order.push(name)
        ;(seen[name] ??= []).push(i)
        now += cost(i)
        return name
      },
    ]),
  )
  return { candidates, cpuMicros: () => now, order, seen }
}

test('figures are the cost of one call', () => {
  const { candidates, cpuMicros } = fakeCandidates({ cheap: () => 3, dear: () => 2500 })
  assert.deepEqual(measure(candidates, { cpuMicros, runMs: 5, warmUpMs: 10 }), {
    cheap: { median: 3, spread: 0 },
    dear: { median: 2500, spread: 0 },
  })
})

test('candidates take turns, each sees every index once, and results are kept', () => {
  const { candidates, cpuMicros, order, seen } = fakeCandidates({ a: () => 100, b: () => 200 })
  measure(candidates, { cpuMicros, runs: 3, runMs: 1, warmUpMs: 1 })
  // Warmed up one after the other, then there and back: where one turns, two runs of it follow on one another.
  assert.deepEqual(order, ['a', 'b', 'a', 'b', 'a', 'b'])
  for (const indexes of Object.values(seen))
    assert.deepEqual(
      indexes,
      indexes.map((_, i) => i),
    )
  assert.equal(lastResult(), 'b')
})

test('cold calls and one disturbed run do not count', () => {
  const warmUpMs = 20
  let spent = 0
  const { candidates, cpuMicros } = fakeCandidates({
    work: () => {
      const cost = spent < warmUpMs * 1000 ? 50 : spent < 25_000 ? 70 : 10
      spent += cost
      return cost
    },
  })
  assert.equal(measure(candidates, { cpuMicros, runs: 7, runMs: 5, warmUpMs })['work']?.median, 10)
})

test('work that the clock cannot see is repeated until it can', () => {
  let calls = 0
  const cpuMicros = () => Math.floor(calls / 1000)
  const { work } = measure({ work: () => calls++ }, { cpuMicros, runs: 3, runMs: 2, warmUpMs: 4 })
  assert.ok(Math.abs(work.median - 0.001) < 0.0001, String(work.median))
})

test('a rate is the reverse of a time', () => {
  assert.equal(perSecond(50), 20_000)
})
