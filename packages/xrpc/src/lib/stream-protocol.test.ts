import assert from 'node:assert/strict'
import test from 'node:test'
import { cidOfRaw, concatBytes, encode } from '@imago/data'
import { FrameError } from './frame-error.ts'
import { errorIn, frameError, frameMessage, readFrame, type StreamProtocol } from './stream-protocol.ts'

const NSID = 'com.example.watch'
const PROTOCOLS: readonly StreamProtocol[] = ['xrpc.v0.cbor', 'xrpc.v1.json', 'xrpc.v1.cbor']
const tick = {
  $type: `${NSID}#tick`,
  seq: 3,
  link: cidOfRaw(new Uint8Array([1])),
  bytes: new Uint8Array([2]),
}
const text = (json: string) => new TextEncoder().encode(json)

/** Payloads in these tests are short, so that the WebSocket header has two or four bytes. */
const payloadOf = (message: Uint8Array) => message.subarray(message[1] === 126 ? 4 : 2)

for (const protocol of PROTOCOLS) {
  test(`${protocol}: a message comes back as it went, links and bytes included`, () => {
    const read = readFrame(protocol, NSID, payloadOf(frameMessage(protocol, NSID, tick)))
    assert.deepEqual(read, { kind: 'message', message: tick })
  })

  test(`${protocol}: an error frame comes back as an XrpcError`, () => {
    const error = errorIn(protocol, payloadOf(frameError(protocol, 'FutureCursor', 'cursor 9 is ahead of 3')))
    assert.equal(error?.error, 'FutureCursor')
    assert.equal(error?.message, 'cursor 9 is ahead of 3')
    assert.equal(error?.status, 0)
    assert.equal(
      errorIn(protocol, payloadOf(frameError(protocol, 'ConsumerTooSlow')))?.error,
      'ConsumerTooSlow',
    )
  })

  test(`${protocol}: messages and rubbish are not taken for errors`, () => {
    assert.equal(errorIn(protocol, payloadOf(frameMessage(protocol, NSID, tick))), undefined)
    assert.equal(errorIn(protocol, new Uint8Array([0xa1, 0x62, 0x6f, 0x70, 0x20, 0xff])), undefined)
    assert.equal(errorIn(protocol, text('{"$type":"error"')), undefined)
  })

  test(`${protocol}: rubbish is refused with a FrameError`, () => {
    for (const rubbish of [new Uint8Array(), new Uint8Array([0xff]), text('{"$type":'), text('')])
      assert.throws(() => readFrame(protocol, NSID, rubbish), FrameError)
  })
}

test('the header says what a message is, whatever its body says', () => {
  const payload = concatBytes([encode({ op: 1, t: '#tick' }), encode({ $type: `${NSID}#other`, seq: 3 })])
  assert.deepEqual(readFrame('xrpc.v0.cbor', NSID, payload), {
    kind: 'message',
    message: { $type: `${NSID}#tick`, seq: 3 },
  })
})

test('the three formats look on the wire as the specification and proposal 0015 have them', () => {
  const message = { $type: `${NSID}#tick`, seq: 3 }
  assert.deepEqual(
    payloadOf(frameMessage('xrpc.v0.cbor', NSID, message)),
    Uint8Array.from([...encode({ op: 1, t: '#tick' }), ...encode({ seq: 3 })]),
  )
  assert.deepEqual(
    JSON.parse(new TextDecoder().decode(payloadOf(frameMessage('xrpc.v1.json', NSID, message)))),
    { $type: 'message', payload: message },
  )
  assert.deepEqual(
    payloadOf(frameMessage('xrpc.v1.cbor', NSID, message)),
    encode({ $type: 'message', payload: message }),
  )
  assert.equal(frameMessage('xrpc.v1.json', NSID, message)[0], 0x81)
  assert.equal(frameMessage('xrpc.v0.cbor', NSID, message)[0], 0x82)
})

test('the name that the draft gave message frames is understood, other discriminators are unknown', () => {
  const frame = (type: string) => text(`{"$type":"${type}","payload":{"$type":"${NSID}#tick","seq":1}}`)
  assert.equal(readFrame('xrpc.v1.json', NSID, frame('event')).kind, 'message')
  assert.deepEqual(readFrame('xrpc.v1.json', NSID, frame('heartbeat')), { kind: 'unknown' })
  assert.throws(
    () => readFrame('xrpc.v1.json', NSID, text('{"$type":"message","payload":{"seq":1}}')),
    FrameError,
  )
})

test('the type of another schema keeps its whole name', () => {
  const foreign = { $type: 'com.example.other', seq: 1 }
  const read = readFrame('xrpc.v0.cbor', NSID, payloadOf(frameMessage('xrpc.v0.cbor', NSID, foreign)))
  assert.deepEqual(read, { kind: 'message', message: foreign })
})
