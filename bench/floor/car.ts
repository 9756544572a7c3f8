import assert from 'node:assert/strict'
import { readCar } from '@imago/data'
import { parseEvent } from '@imago/sync'
import { decodeFrame } from '@imago/xrpc/frames'
import { commitFrames } from '../inputs/commit-frames.ts'
import type { GroupContext } from '../lib/group.ts'
import { measure } from '../lib/measure.ts'
import type { Row } from '../lib/row.ts'
import { openLibsecp256k1 } from '../lib/yardstick.ts'

const SEED = 1
const REPO_RECORDS = 10_000
const COMMITS = 300

/** The blocks of one commit, each of them hashed: what no follower of a firehose can do without. */
export async function* rows({ quick }: GroupContext): AsyncGenerator<Row> {
  const cars = commitFrames({ seed: SEED, records: REPO_RECORDS, commits: COMMITS }).frames.map(
    ({ bytes }) => {
      const frame = decodeFrame(bytes)
      assert(frame.kind === 'message')
      const parsed = parseEvent(frame.type, frame.body)
      assert(parsed?.type === '#commit')
      return parsed.event.blocks
    },
  )
  for (const car of cars) {
    const damaged = car.slice()
    damaged[damaged.length - 1]! ^= 1
    assert.throws(() => readCar(damaged), /do not have its hash/)
  }
  const blocks = cars.reduce((sum, car) => sum + readCar(car).blocks.size, 0)
  const bytes = cars.reduce((sum, car) => sum + car.length, 0)
  const library = openLibsecp256k1()
  const { ours, signature } = measure(
    { ours: (i) => readCar(cars[i % cars.length]!), ...(library && { signature: library.verify }) },
    quick ? { runs: 3, runMs: 40, warmUpMs: 120 } : {},
  )
  yield {
    name: 'CAR of one commit, every block hashed',
    unit: 'µs',
    ours: ours.median,
    spread: ours.spread,
    bar: { limit: 15 },
    ...(signature && { yardstick: library!.yardstick(signature.median) }),
    note: `${(bytes / cars.length / 1000).toFixed(1)} kB in ${(blocks / cars.length).toFixed(1)} blocks`,
  }
}
