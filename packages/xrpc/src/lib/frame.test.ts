import assert from 'node:assert/strict'
import test from 'node:test'
import { cidOfRaw, concatBytes, type DataMap, encode } from '@imago/data'
import { createRandom } from '@imago/sim/random'
import {
  decodeFrame,
  encodeErrorFrame,
  encodeFrame,
  frameHeader,
  isErrorFrame,
  MAX_FRAME_BYTES,
} from './frame.ts'
import { FrameError } from './frame-error.ts'

const commit: DataMap = {
  seq: 7,
  repo: 'did:web:alice.test',
  blocks: new Uint8Array([1, 2, 3]),
  commit: cidOfRaw(new Uint8Array([4])),
  ops: [],
}

const invalid = (bytes: Uint8Array, message: RegExp) =>
  assert.throws(
    () => decodeFrame(bytes),
    (error) => error instanceof FrameError && error.code === 'InvalidFrame' && message.test(error.message),
  )

test('a message frame is its header and its body, one after the other', () => {
  const frame = encodeFrame('#commit', commit)
  assert.deepEqual(frame, concatBytes([encode({ t: '#commit', op: 1 }), encode(commit)]))
  assert.equal(Buffer.from(frame.subarray(0, 15)).toString('latin1'), '\xa2at\x67#commitbop\x01')
})

test('a message frame comes back as it went, with the place where its body begins', () => {
  const frame = encodeFrame('#commit', commit)
  const decoded = decodeFrame(frame)
  assert.deepEqual(decoded, {
    kind: 'message',
    type: '#commit',
    body: commit,
    bodyOffset: frameHeader('#commit').length,
  })
  assert.ok(decoded.kind === 'message')
  assert.deepEqual(frame.subarray(decoded.bodyOffset), encode(commit))
})

test('an error frame comes back as it went, with or without a message', () => {
  assert.deepEqual(decodeFrame(encodeErrorFrame('FutureCursor', 'cursor 9 is ahead of 3')), {
    kind: 'error',
    error: 'FutureCursor',
    message: 'cursor 9 is ahead of 3',
  })
  assert.deepEqual(decodeFrame(encodeErrorFrame('ConsumerTooSlow')), {
    kind: 'error',
    error: 'ConsumerTooSlow',
    message: undefined,
  })
})

test('error frames are told from others by their first bytes', () => {
  assert.equal(isErrorFrame(encodeErrorFrame('FutureCursor', 'x')), true)
  assert.equal(isErrorFrame(encodeFrame('#info', { name: 'OutdatedCursor' })), false)
  assert.equal(isErrorFrame(new Uint8Array()), false)
  assert.equal(isErrorFrame(encode({ op: -1 })), false)
})

test('an error frame may name a type in its header: some relays leave that of the message before it there', () => {
  const body = encode({ error: 'ConsumerTooSlow', message: '' })
  for (const t of ['', '#commit', '#account', 'x'.repeat(23)])
    assert.equal(isErrorFrame(concatBytes([encode({ op: -1, t }), body])), true, t)
  const others: DataMap[] = [{ op: 1, t: '' }, { op: 2, t: '#commit' }, { t: '#commit' }, { op: -2 }]
  for (const header of others) assert.equal(isErrorFrame(concatBytes([encode(header), body])), false)
})

test('an error frame without a usable name still is an error frame', () => {
  const frame = concatBytes([encode({ op: -1 }), encode({ error: 5, message: null })])
  assert.deepEqual(decodeFrame(frame), { kind: 'error', error: 'UnknownError', message: undefined })
})

test('an unknown operation, and a message without a type, are unknown rather than wrong', () => {
  assert.deepEqual(decodeFrame(concatBytes([encode({ op: 2, t: '#commit' }), encode({})])), {
    kind: 'unknown',
    op: 2,
  })
  assert.deepEqual(decodeFrame(concatBytes([encode({ op: 1 }), encode({})])), { kind: 'unknown', op: 1 })
})

test('a type that no schema lists is handed on', () => {
  const frame = decodeFrame(encodeFrame('#tomorrow', { seq: 1 }))
  assert.ok(frame.kind === 'message')
  assert.equal(frame.type, '#tomorrow')
})

test('header fields that a later version adds do not matter', () => {
  const frame = concatBytes([encode({ op: 1, t: '#commit', version: 3 }), encode({ seq: 1 })])
  assert.equal(decodeFrame(frame).kind, 'message')
})

test('bytes that are not exactly two maps are refused, and the message says which part', () => {
  invalid(new Uint8Array(), /header/)
  invalid(encode({ op: 1, t: '#commit' }), /body of the frame is not DRISL/)
  invalid(concatBytes([encode({ op: 1, t: '#commit' }), encode([1])]), /body of the frame is not a map/)
  invalid(concatBytes([encode('op'), encode({})]), /header of the frame is not a map/)
  invalid(concatBytes([encode({ t: '#commit' }), encode({})]), /no numeric "op"/)
  invalid(concatBytes([encodeFrame('#commit', commit), new Uint8Array(3)]), /3 bytes follow/)
})

test('a frame longer than the limit is refused before it is read', () => {
  assert.throws(
    () => decodeFrame(new Uint8Array(MAX_FRAME_BYTES + 1)),
    (error) => error instanceof FrameError && error.code === 'FrameTooLarge' && /5000001/.test(error.message),
  )
})

test('damaged frames are refused with a FrameError, or read as some frame; nothing else happens', () => {
  const random = createRandom(1)
  const frame = encodeFrame('#commit', commit)
  for (let round = 0; round < 2_000; round++) {
    const damaged = frame.slice(0, random.chance(0.3) ? random.int(frame.length) : frame.length)
    for (let hits = random.int(4); hits >= 0; hits--)
      if (damaged.length > 0) damaged[random.int(damaged.length)] = random.int(256)
    try {
      decodeFrame(damaged)
    } catch (error) {
      assert.ok(error instanceof FrameError, String(error))
    }
  }
})

test('headers of many types are right even when they are no longer remembered', () => {
  for (let n = 0; n < 100; n++) assert.deepEqual(frameHeader(`#type${n}`), encode({ op: 1, t: `#type${n}` }))
})
