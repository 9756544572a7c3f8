import assert from 'node:assert/strict'
import test from 'node:test'
import { concatBytes, type DataMap, encode } from '@imago/data'
import { createRandom } from '@imago/sim/random'
import { commitBody, sample } from './sample-events.fixture.ts'
import { spliceSeq } from './splice-seq.ts'
import { SyncError } from './sync-error.ts'

const frame = (type: string, body: DataMap) => concatBytes([encode({ op: 1, t: type }), encode(body)])
const seqs = [
  1,
  23,
  24,
  255,
  256,
  65_535,
  65_536,
  2 ** 32 - 1,
  2 ** 32,
  31_530_000_000,
  Number.MAX_SAFE_INTEGER,
]

test('a spliced frame is the frame that encoding anew gives, at every width of the number', () => {
  const body = { ...commitBody(sample().result), fieldOfNextYear: [1, { deep: null }] }
  for (const from of seqs)
    for (const to of seqs)
      assert.deepEqual(
        spliceSeq(frame('#commit', { ...body, seq: from }), to),
        frame('#commit', { ...body, seq: to }),
      )
  for (const type of ['#sync', '#identity', '#account', '#unknown'])
    assert.deepEqual(spliceSeq(frame(type, { did: 'x', seq: 7 }), 300), frame(type, { did: 'x', seq: 300 }))
})

test('the frame given is not written to', () => {
  const given = frame('#account', { seq: 5, active: true })
  const copy = given.slice()
  spliceSeq(given, 6)
  assert.deepEqual(given, copy)
})

test('what is no frame is refused, and so is a place that is none', () => {
  const good = frame('#account', { seq: 5, active: true })
  for (let length = 0; length < good.indexOf(5); length++)
    assert.throws(() => spliceSeq(good.subarray(0, length), 6), SyncError, `${length} bytes`)
  for (const bytes of [
    frame('#info', { name: 'x' }),
    frame('#x', { seq: 'one' }),
    frame('#x', { sequence: 1 }),
    concatBytes([encode(1), encode(2)]),
  ])
    assert.throws(() => spliceSeq(bytes, 6), SyncError)
  assert.throws(() => spliceSeq(new Uint8Array([0xa0, 0xbf, 0xff]), 6), /no definite length/)
  assert.throws(
    () => spliceSeq(new Uint8Array([0xa0, 0x7b, 255, 255, 255, 255, 255, 255, 255, 255]), 6),
    SyncError,
  )
  for (const seq of [0, -1, 1.5, 2 ** 53, Number.NaN]) assert.throws(() => spliceSeq(good, seq), RangeError)
})

test('noise is refused or spliced, never anything else', () => {
  const random = createRandom(3)
  const good = frame('#commit', commitBody(sample().result))
  for (let i = 0; i < 500; i++) {
    const noisy = good.slice(0, random.int(good.length))
    for (let n = 0; n < 4; n++) noisy[random.int(Math.min(400, noisy.length))] = random.int(256)
    try {
      assert.ok(spliceSeq(noisy, 9) instanceof Uint8Array)
    } catch (error) {
      assert.ok(error instanceof SyncError)
    }
  }
})
