import assert from 'node:assert/strict'
import test from 'node:test'
import { BlockMap, readCar } from '@imago/data'
import { createManualClock } from '@imago/sim/clock'
import { createRandom } from '@imago/sim/random'
import { carChunks } from '../repos/car-chunks.ts'
import type { RepoSnapshot } from '../repos/repo-store.ts'
import { exportResponse } from './car-response.ts'
import { createExportWatch, type ExportCutError } from './export-watch.ts'

const random = createRandom(1)
const blocks = new BlockMap()
for (let n = 0; n < 30; n++) blocks.add(random.bytes(20_000))
const [first] = blocks

function exporting() {
  const clock = createManualClock()
  const cuts: ExportCutError[] = []
  const limits = { graceMs: 1000, minBytesPerSecond: 100_000, maxMs: 60_000, maxRunning: 9 }
  const watch = createExportWatch({ now: clock.now, limits, onCut: (error) => cuts.push(error) })
  let closed = 0
  const snapshot = {
    head: { did: 'did:web:a.test', cid: first!.cid },
    [Symbol.dispose]: () => closed++,
  } as unknown as RepoSnapshot
  return {
    clock,
    watch,
    cuts,
    closed: () => closed,
    response: () => exportResponse(watch, snapshot, carChunks(blocks)),
    [Symbol.dispose]: () => watch[Symbol.dispose](),
  }
}

test('an export that is read comes whole, and lets its snapshot go once', async () => {
  using all = exporting()
  const car = readCar(new Uint8Array(await all.response().arrayBuffer()))
  assert.equal(car.blocks.size, blocks.size)
  all.clock.advance(1_000_000)
  all.watch.check()
  assert.deepEqual([all.closed(), all.cuts.length], [1, 0])
})

test('a reader that stands still is cut off: the snapshot is let go, and the body fails', async () => {
  using all = exporting()
  const reader = all.response().body!.getReader()
  await reader.read()
  all.clock.advance(1500)
  all.watch.check()
  assert.equal(all.closed(), 0, 'what was read so far is enough')
  all.clock.advance(10_000)
  all.watch.check()
  assert.equal(all.closed(), 1)
  await assert.rejects(reader.read(), /the export of did:web:a\.test was cut: \d+ bytes were taken in 12 s/)
  all.watch.check()
  assert.deepEqual([all.closed(), all.cuts.length], [1, 1])
})

test('a reader that goes away is not watched any more', async () => {
  using all = exporting()
  await all.response().body!.cancel()
  all.clock.advance(1_000_000)
  all.watch.check()
  assert.deepEqual([all.closed(), all.cuts.length], [1, 0])
})
