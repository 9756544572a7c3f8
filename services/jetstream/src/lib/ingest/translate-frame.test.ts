import assert from 'node:assert/strict'
import test from 'node:test'
import { BlockMap, type Cid, cidOfDrisl, type DataMap, encode, type Value, writeCar } from '@imago/data'
import { createRandom } from '@imago/sim/random'
import { encodeFrame } from '@imago/xrpc/frames'
import { translateFrame } from './translate-frame.ts'

const DID = 'did:plc:alice'
const REV = '3lhpuvsm22222'
const TIME = '2026-01-01T00:00:00.000Z'
const CID = cidOfDrisl(encode({}))

interface Op {
  readonly action: string
  readonly path: string
  readonly cid: Cid | null
}

function commitFrame(ops: readonly Op[], blocks: BlockMap, changes: DataMap = {}): Uint8Array {
  return encodeFrame('#commit', {
    seq: 7,
    repo: DID,
    commit: CID,
    rev: REV,
    since: null,
    blocks: writeCar([CID], blocks),
    ops: ops.map((op) => ({ ...op })),
    blobs: [],
    time: TIME,
    tooBig: false,
    rebase: false,
    ...changes,
  })
}

/** A commit that creates one record, given as bytes. */
function creating(block: Uint8Array, path = 'com.example.note/1'): Uint8Array {
  const blocks = new BlockMap()
  const cid = blocks.add(block)
  return commitFrame([{ action: 'create', path, cid }], blocks)
}

const textOf = (frame: Uint8Array): string[] =>
  translateFrame(frame).drafts.map((draft) => Buffer.from(draft.encode(1_700_000_000_000_000)).toString())

test('a commit becomes one event for each record', () => {
  const blocks = new BlockMap()
  const one = blocks.add(encode({ $type: 'com.example.note', text: '„one“ "1"\n' }))
  const two = blocks.add(encode({ n: 2 }))
  blocks.add(encode({ extra: 'no operation refers to it' }))
  const frame = commitFrame(
    [
      { action: 'create', path: 'com.example.note/1', cid: one },
      { action: 'update', path: 'com.example.count/self', cid: two },
      { action: 'delete', path: 'com.example.note/2', cid: null },
    ],
    blocks,
  )
  assert.deepEqual(textOf(frame), [
    `{"did":"${DID}","time_us":1700000000000000,"kind":"commit","commit":{"rev":"${REV}","operation":"create","collection":"com.example.note","rkey":"1","record":{"text":"„one“ \\"1\\"\\n","$type":"com.example.note"},"cid":"${one}"}}`,
    `{"did":"${DID}","time_us":1700000000000000,"kind":"commit","commit":{"rev":"${REV}","operation":"update","collection":"com.example.count","rkey":"self","record":{"n":2},"cid":"${two}"}}`,
    `{"did":"${DID}","time_us":1700000000000000,"kind":"commit","commit":{"rev":"${REV}","operation":"delete","collection":"com.example.note","rkey":"2"}}`,
  ])
  const { seq, drafts, drops } = translateFrame(frame)
  assert.deepEqual([seq, drops], [7, []])
  assert.deepEqual(
    drafts.map(({ key }) => key),
    [`com.example.note ${DID} 7`, `com.example.count ${DID} 7`, `com.example.note ${DID} 7`],
  )
})

test('links and bytes have their JSON forms, and large integers stay whole', () => {
  const value: Value = { link: CID, bytes: new Uint8Array([251, 255]), deep: [{ CID }], n: 2 ** 53 - 1 }
  const [text] = textOf(creating(encode(value)))
  assert.deepEqual(JSON.parse(text!).commit.record, {
    n: 9007199254740991,
    deep: [{ CID: { $link: CID.toString() } }],
    link: { $link: CID.toString() },
    bytes: { $bytes: '+/8' },
  })
})

test('a commit of deletions needs no blocks', () => {
  const frame = commitFrame([{ action: 'delete', path: 'com.example.note/2', cid: null }], new BlockMap(), {
    blocks: new Uint8Array(),
  })
  assert.equal(textOf(frame).length, 1)
})

test('identity and account events pass as they are, unknown members too', () => {
  const identity = { seq: 8, did: DID, time: TIME, handle: 'alice.test', later: { link: CID } }
  const account = { seq: 9, did: DID, time: TIME, active: false, status: 'throttled' }
  const read = (type: string, body: DataMap) => JSON.parse(textOf(encodeFrame(type, body))[0]!)
  assert.deepEqual(read('#identity', identity), {
    did: DID,
    time_us: 1_700_000_000_000_000,
    kind: 'identity',
    identity: { ...identity, later: { link: { $link: CID.toString() } } },
  })
  assert.deepEqual(read('#account', account), {
    did: DID,
    time_us: 1_700_000_000_000_000,
    kind: 'account',
    account,
  })
})

test('what has no event of its own still has its place', () => {
  const sync = encodeFrame('#sync', { seq: 10, did: DID, time: TIME, rev: REV, blocks: new Uint8Array([1]) })
  assert.deepEqual(translateFrame(sync), { seq: 10, drafts: [], drops: [] })
  const later = encodeFrame('#later', { seq: 11 })
  assert.deepEqual(translateFrame(later), { seq: 11, drafts: [], drops: [] })
  const info = translateFrame(encodeFrame('#info', { name: 'OutdatedCursor' }))
  assert.deepEqual([info.seq, info.info?.name], [undefined, 'OutdatedCursor'])
})

for (const [what, reason, frame] of [
  ['bytes that are no frame', 'bad-frame', () => new Uint8Array([0xff, 1])],
  ['a commit about no account', 'bad-event', () => commitFrame([], new BlockMap(), { repo: 'alice' })],
  ['a rev that is no TID', 'bad-event', () => commitFrame([], new BlockMap(), { rev: 'now' })],
  ['a missing field', 'bad-event', () => encodeFrame('#account', { seq: 7, did: DID, time: TIME })],
  ['a path that is none', 'bad-operation', () => creating(encode({}), 'notes/1')],
  [
    'an action that is none',
    'bad-operation',
    () => commitFrame([{ action: 'move', path: 'com.example.note/1', cid: null }], new BlockMap()),
  ],
  [
    'a create without a cid',
    'bad-operation',
    () => commitFrame([{ action: 'create', path: 'com.example.note/1', cid: null }], new BlockMap()),
  ],
  [
    'a record that was not sent',
    'missing-record',
    () => commitFrame([{ action: 'create', path: 'com.example.note/1', cid: CID }], new BlockMap()),
  ],
  ['a record with a float', 'bad-record', () => creating(Uint8Array.fromHex('a1616efb3ff8000000000000'))],
  ['a record that is no map', 'bad-record', () => creating(encode([1]))],
  [
    'a block that is not what its CID says',
    'bad-blocks',
    () => {
      const frame = creating(encode({ text: 'GENUINE' }))
      const at = Buffer.from(frame).indexOf('GENUINE')
      frame[at] = 0x58
      return frame
    },
  ],
] as const)
  test(`${what} is dropped as ${reason}`, () => {
    const { drafts, drops } = translateFrame(frame())
    assert.deepEqual(drafts, [])
    assert.deepEqual(
      drops.map((drop) => drop.reason),
      [reason],
    )
    assert.ok(drops[0]!.message.length > 10)
  })

test('one bad operation does not take the others with it', () => {
  const blocks = new BlockMap()
  const good = blocks.add(encode({ n: 1 }))
  const { drafts, drops } = translateFrame(
    commitFrame(
      [
        { action: 'create', path: 'com.example.note/1', cid: CID },
        { action: 'create', path: 'com.example.note/2', cid: good },
      ],
      blocks,
    ),
  )
  assert.deepEqual([drafts.length, drops.length], [1, 1])
})

test('no mangled frame makes it throw, and what it lets pass is JSON', () => {
  const random = createRandom(7)
  const blocks = new BlockMap()
  const cid = blocks.add(encode({ text: 'one', list: [1, 'two', { three: CID }] }))
  const whole = commitFrame([{ action: 'create', path: 'com.example.note/1', cid }], blocks)
  const identity = encodeFrame('#identity', { seq: 8, did: DID, time: TIME, handle: 'alice.test' })
  let passed = 0
  for (let i = 0; i < 2000; i++) {
    const frame = random.pick([whole, identity]).slice()
    for (let n = random.int(3); n >= 0; n--) frame[random.int(frame.length)] = random.int(256)
    for (const text of textOf(frame.subarray(0, random.chance(0.1) ? random.int(frame.length) : undefined))) {
      assert.equal(typeof JSON.parse(text).did, 'string')
      passed++
    }
  }
  assert.ok(passed > 0)
})
