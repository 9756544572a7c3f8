import assert from 'node:assert/strict'
import test from 'node:test'
import { encode } from '@imago/data'
import { encodeFrame, MAX_FRAME_BYTES } from '@imago/xrpc/frames'
import { startTestRelay } from './test-relay.fixture.ts'

const time = '2026-01-01T00:00:00Z'

test('what is no event is counted and passed over, and the connection survives', async () => {
  await using t = await startTestRelay()
  const host = await t.host()
  const alice = t.network.account(host)
  const { did } = alice
  host.send(alice.commit())
  const bad: [check: string, bytes: Uint8Array][] = [
    ['frame', new Uint8Array(0)],
    ['frame', new TextEncoder().encode('not a frame')],
    ['frame', new Uint8Array(MAX_FRAME_BYTES + 1)],
    ['frame', encode({ op: 1, t: '#commit' })],
    ['frame', Buffer.concat([encodeFrame('#identity', { seq: 2, did, time }), Buffer.of(0)])],
    ['frame', Buffer.concat([encode({ op: 7 }), encode({ seq: 2 })])],
    ['frame', Buffer.concat([encode({ op: 1 }), encode({ seq: 2 })])],
    // Laid out so that the reader below does not take it for one.
    ['frame', Buffer.concat([encode({ op: -1, x: 1 }), encode({ error: 'Odd' })])],
    ['body', encodeFrame('#identity', { did, time })],
    ['body', encodeFrame('#identity', { seq: 0, did, time })],
    ['body', encodeFrame('#identity', { seq: '2', did, time })],
    ['body', encodeFrame('#commit', { seq: 2, repo: did })],
    ['body', encodeFrame('#account', { seq: 3, did, time })],
    ['unknown-type', encodeFrame('#handle', { seq: 4, did, time })],
    ['unknown-type', encodeFrame('#tombstone', {})],
    ['sequence', encodeFrame('#identity', { seq: 4, did, time })],
    ['sequence', encodeFrame('#identity', { seq: 1, did, time })],
    ['sequence', encodeFrame('#tombstone', { seq: 1 })],
  ]
  for (const [, bytes] of bad) host.sendRaw(bytes)
  host.sendRaw(encodeFrame('#info', { name: 'OutdatedCursor', message: 'from the oldest on' }))
  host.seq = 4
  host.send(alice.commit())
  await t.caughtUp(host)

  const expected: Record<string, number> = {}
  for (const [check] of bad) expected[check] = (expected[check] ?? 0) + 1
  assert.deepEqual(await t.drops(), expected)
  assert.deepEqual(
    (await t.sent(2)).map(({ type }) => type),
    ['#commit', '#commit'],
  )
  assert.equal(t.relay.head, 2)
  assert.equal(host.cursors.length, 1)
  assert.deepEqual(t.failures, [])
})

test('a frame is passed on as it came but for its number, fields of next year included', async () => {
  await using t = await startTestRelay({ config: { initialSeq: 70_000 } })
  const host = await t.host()
  const alice = t.network.account(host)
  const event = alice.commit({ zNextYear: { a: [1, 'x'] }, a: 1 })
  host.send(event)
  await t.caughtUp(host)
  const [sent] = await t.sent(1)
  assert.deepEqual(sent!.frame.body, { ...event.body, seq: 70_000 })
  assert.equal(t.relay.head, 70_000)
})

test('an event whose judging fails by our fault is dropped and told of, and holds nobody up', async () => {
  await using t = await startTestRelay()
  const host = await t.host()
  const [alice, bob] = [t.network.account(host), t.network.account(host)]
  const { resolveDid } = t.network.directory
  t.network.directory.resolveDid = async (did, options) => {
    if (did === alice.did) throw new TypeError('a bug')
    return await resolveDid(did, options)
  }
  host.send(alice.commit(), bob.commit())
  await t.caughtUp(host)
  assert.deepEqual(await t.drops(), { internal: 1 })
  assert.equal((await t.sent(1))[0]!.frame.body['repo'], bob.did)
})
