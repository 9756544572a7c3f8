import assert from 'node:assert/strict'
import test from 'node:test'
import { createRandom } from '@imago/sim/random'
import { arriving, carOf, importCar, repoOf, someRecords } from './arrival.ts'
import { openTestPds } from './test-pds.ts'

const PIECE_BYTES = 1000

test('[R8] an import lets go of each piece of a file when the next one comes, in whatever order blocks are', async () => {
  await using pds = await openTestPds()
  const alice = await arriving(pds)
  const token = (await alice.createAccount()).body.accessJwt
  const { signed, sent } = repoOf(alice.did, alice.oldKey, someRecords(2000))
  for (const order of [sent, createRandom(1).shuffle(sent)]) {
    const car = carOf([signed.cid], order)
    const pieces: Uint8Array[] = []
    let sentBytes = 0
    let most = 0
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          most = Math.max(most, pieces.filter(({ length }) => length > 0).length)
          if (sentBytes >= car.length) return controller.close()
          const piece = car.slice(sentBytes, (sentBytes += PIECE_BYTES))
          pieces.push(piece)
          controller.enqueue(piece)
        },
      },
      { highWaterMark: 0 },
    )
    assert.equal((await importCar(pds, token, body)).status, 200)
    assert.ok(pieces.length > 100)
    assert.ok(most <= 4, `${most} of ${pieces.length} pieces at a time`)
  }
})

test('[R8] a piece that is a part of something larger stays as it is', async () => {
  await using pds = await openTestPds()
  const alice = await arriving(pds)
  const token = (await alice.createAccount()).body.accessJwt
  const { car } = repoOf(alice.did, alice.oldKey, someRecords(100))
  const before = car.slice()
  const parts = ReadableStream.from([car.subarray(0, 5000), car.subarray(5000)])
  assert.equal((await importCar(pds, token, parts)).status, 200)
  assert.deepEqual(car, before)
})
