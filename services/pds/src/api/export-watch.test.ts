import assert from 'node:assert/strict'
import test from 'node:test'
import { createManualClock } from '@imago/sim/clock'
import { createExportWatch, type ExportCutError } from './export-watch.ts'

const limits = { graceMs: 10_000, minBytesPerSecond: 1000, maxMs: 100_000, maxRunning: 2 }

function watching() {
  const clock = createManualClock()
  const cuts: ExportCutError[] = []
  const watch = createExportWatch({ now: clock.now, limits, onCut: (error) => cuts.push(error) })
  const check = (elapsedMs: number) => {
    clock.advance(elapsedMs)
    watch.check()
    return cuts.length
  }
  return { watch, cuts, check, [Symbol.dispose]: () => watch[Symbol.dispose]() }
}

test('an export that nobody reads is cut after its grace, once, and told what was wrong', () => {
  using all = watching()
  const told: Error[] = []
  all.watch.begin('did:web:a.test', (error) => told.push(error))
  assert.equal(all.check(10_000), 0)
  assert.equal(all.check(1000), 1)
  assert.equal(all.check(1000), 1)
  assert.deepEqual(told, all.cuts)
  assert.equal(
    told[0]!.message,
    'the export of did:web:a.test was cut: 0 bytes were taken in 11 s, which is too slow',
  )
})

test('one that is read at the least rate goes on, up to the longest time that any may take', () => {
  using all = watching()
  const reader = all.watch.begin('did:web:a.test', () => {})
  for (let seconds = 10; seconds <= 100; seconds += 10) {
    assert.equal(all.check(10_000), 0, `${seconds} s`)
    reader.took(10_000)
  }
  assert.equal(all.check(1), 1)
})

test('one that is over is not cut', () => {
  using all = watching()
  const reader = all.watch.begin('did:web:a.test', () => assert.fail('cut after its end'))
  reader.end()
  assert.equal(all.check(1_000_000), 0)
})

test('there are only so many at a time, those that ended not counted', () => {
  using all = watching()
  all.watch.begin('did:web:a.test', () => {})
  assert.equal(all.watch.isFull, false)
  const second = all.watch.begin('did:web:a.test', () => {})
  assert.equal(all.watch.isFull, true)
  second.end()
  assert.equal(all.watch.isFull, false)
  all.watch.begin('did:web:a.test', () => {})
  all.check(100_001)
  assert.equal(all.watch.isFull, false, 'nor those that were cut')
})
