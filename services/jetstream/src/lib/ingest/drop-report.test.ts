import assert from 'node:assert/strict'
import test from 'node:test'
import { createManualClock } from '@imago/sim/clock'
import { createDropReport } from './drop-report.ts'

test('of many drops one is told each ten seconds, with the number of those between', () => {
  const clock = createManualClock()
  const told: [string, number][] = []
  const report = createDropReport(clock.now, ({ message }, untold) => told.push([message, untold]))
  const drop = (message: string) => report({ reason: 'bad-frame', message })
  for (const message of ['a', 'b', 'c']) drop(message)
  clock.advance(9_999)
  drop('d')
  clock.advance(1)
  drop('e')
  drop('f')
  assert.deepEqual(told, [
    ['a', 0],
    ['e', 3],
  ])
})
