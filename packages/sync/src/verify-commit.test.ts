import assert from 'node:assert/strict'
import test from 'node:test'
import { generateKeypair } from '@imago/crypto'
import {
  BlockMap,
  type Cid,
  cidOfDrisl,
  type DataMap,
  decode,
  encode,
  type Value,
  writeCar,
} from '@imago/data'
import { Mst, signCommit } from '@imago/repo'
import { createRandom } from '@imago/sim/random'
import { tidFromMicros } from '@imago/syntax'
import { CHECKS, type CheckNumber } from './checks.ts'
import {
  Author,
  commitEvent,
  create,
  did,
  nowMs,
  post,
  recordOf,
  remove,
  revOf,
  sample,
  update,
} from './sample-events.fixture.ts'
import { type CommitVerdict, verifyCommit } from './verify-commit.ts'

function assertRefused(verdict: CommitVerdict, check: CheckNumber, reason: RegExp): void {
  assert.equal(verdict.accepted, false)
  assert.equal(verdict.accepted || verdict.check, check, verdict.accepted ? '' : verdict.reason)
  assert.ok(!verdict.accepted)
  assert.equal(verdict.name, CHECKS[check])
  assert.match(verdict.reason, reason)
}

test('an honest commit is accepted, and tells the state that it leads to', () => {
  const { context, result } = sample()
  const verdict = verifyCommit(commitEvent(result), context)
  assert.ok(verdict.accepted)
  assert.equal(verdict.outcome, 'accepted')
  assert.deepEqual(verdict.findings, [])
  assert.deepEqual(verdict.state, { data: result.tree.root, rev: result.signed.commit.rev })
  assert.deepEqual(verdict.ops, result.ops)
  assert.ok(verdict.cid.equals(result.signed.cid))
  assert.equal(verdict.genesis, false)
})

test('a history of commits is accepted, each from the state that the one before led to', () => {
  const random = createRandom(16)
  const author = new Author()
  const context = author.context()
  let account = context.account
  const present = new Set<string>()
  for (let round = 0; round < 30; round++) {
    const rkeys = random.shuffle(Array.from({ length: 40 }, (_, n) => `k${n}`)).slice(0, random.int(5))
    const writes = rkeys.map((rkey) => {
      if (!present.has(rkey)) return create(rkey, round)
      return random.chance(0.5) ? remove(rkey) : update(rkey, 1000 + round)
    })
    for (const { action, path } of writes) {
      const rkey = path.slice(path.indexOf('/') + 1)
      if (action === 'delete') present.delete(rkey)
      else present.add(rkey)
    }
    const result = author.write(...writes)
    const verdict = verifyCommit(commitEvent(result), { ...context, account })
    assert.ok(verdict.accepted && verdict.outcome === 'accepted', JSON.stringify(verdict))
    account = { status: 'active', head: verdict.state }
  }
  assert.deepEqual(account?.head, author.head)
})

test('the first commit of a repository is accepted, with records or without', () => {
  for (const writes of [[], [create('a', 1), create('b', 2)]]) {
    const author = new Author()
    const result = author.write(...writes)
    for (const account of [undefined, { status: 'active' }]) {
      const verdict = verifyCommit(commitEvent(result), { ...author.context(), account })
      assert.ok(verdict.accepted && verdict.genesis && verdict.outcome === 'accepted')
    }
  }
})

test('a commit without operations is accepted, and has to leave the tree as it was', () => {
  const { author } = sample()
  const context = author.context()
  const result = author.write()
  assert.deepEqual(result.ops, [])
  assert.ok(verifyCommit(commitEvent(result), context).accepted)
  assertRefused(verifyCommit(commitEvent(result, { prevData: post(1).cid }), context), 15, /lead to/)
})

test('[SYNC-1] an account that is no DID', () => {
  const { context, result } = sample()
  for (const repo of ['', 'alice.test', 'did:plc:', `did:plc:${'a'.repeat(3000)}`])
    assertRefused(verifyCommit(commitEvent(result, { repo }), context), 1, /is not a DID/)
})

test('[SYNC-2] a sender that is not the account’s PDS', () => {
  const { context, result } = sample()
  const event = commitEvent(result)
  assertRefused(
    verifyCommit(event, { ...context, pdsHost: 'pds.test', senderHost: 'other.test' }),
    2,
    /other\.test.*pds\.test/,
  )
  for (const hosts of [
    { pdsHost: 'pds.test', senderHost: 'PDS.test' },
    { pdsHost: 'pds.test' },
    { senderHost: 'relay.test' },
  ])
    assert.ok(verifyCommit(event, { ...context, ...hosts }).accepted)
})

test('[SYNC-3] an account that is not active', () => {
  const { context, result } = sample()
  for (const status of ['takendown', 'deactivated', 'throttled', 'a status of next year'])
    assertRefused(
      verifyCommit(commitEvent(result), { ...context, account: { ...context.account, status } }),
      3,
      new RegExp(status),
    )
})

test('[SYNC-4] no blocks, too many bytes, too many operations, a record that is too large', () => {
  const { author, context, result } = sample()
  const refusedAt4 = (changes: { [field: string]: Value }, reason: RegExp) =>
    assertRefused(verifyCommit(commitEvent(result, changes), context), 4, reason)
  refusedAt4({ blocks: new Uint8Array(0) }, /no blocks/)
  refusedAt4({ blocks: new Uint8Array(2_000_001) }, /2000001 bytes/)
  const op = { action: 'create', path: 'app.bsky.feed.post/a', cid: post(1).cid }
  refusedAt4({ ops: Array.from({ length: 201 }, () => op) }, /201 operations/)
  refusedAt4({ tooBig: true }, /tooBig/)
  refusedAt4({ rebase: true }, /rebase/)
  const before = author.context()
  const block = recordOf({ $type: 'app.bsky.feed.post', text: 'x'.repeat(1_000_000) })
  const large = author.write({ action: 'create', path: 'app.bsky.feed.post/large', block })
  assertRefused(verifyCommit(commitEvent(large), before), 4, /record at app\.bsky\.feed\.post\/large/)
})

test('two hundred operations are not too many', () => {
  const author = new Author()
  const result = author.write(...Array.from({ length: 200 }, (_, n) => create(`k${n}`, n)))
  assert.ok(verifyCommit(commitEvent(result), { ...author.context(), account: undefined }).accepted)
})

test('[SYNC-5] a rev that is no TID, or lies in the future', () => {
  const { context, result } = sample()
  assertRefused(verifyCommit(commitEvent(result, { rev: 'tomorrow' }), context), 5, /is not a TID/)
  const rev = (aheadMs: number) => tidFromMicros((nowMs + aheadMs) * 1000, 0)
  assertRefused(verifyCommit(commitEvent(result, { rev: rev(301_000) }), context), 5, /301 s ahead/)
  assertRefused(verifyCommit(commitEvent(result, { rev: rev(299_000) }), context), 8, /rev/)
})

test('[SYNC-6] a rev that is not after the last one is stale, which is no fault', () => {
  const { context, result } = sample()
  const { rev } = result.signed.commit
  for (const known of [rev, revOf(99)]) {
    const account = { status: 'active', head: { data: result.tree.root, rev: known } }
    const verdict = verifyCommit(commitEvent(result), { ...context, account })
    assertRefused(verdict, 6, /does not come after/)
    assert.ok(!verdict.accepted && verdict.outcome === 'stale')
  }
})

test('[SYNC-7] blocks that are no CAR file, are not what their CIDs say, or do not begin with the commit', () => {
  const { context, result } = sample()
  const { signed, frameBlocks } = result
  const check7 = (changes: { [field: string]: Value }, reason: RegExp) =>
    assertRefused(verifyCommit(commitEvent(result, changes), context), 7, reason)
  check7({ blocks: new Uint8Array([1, 2, 3]) }, /CAR/)
  check7({ blocks: writeCar([], frameBlocks) }, /no root/)
  check7({ blocks: writeCar([signed.cid], [...frameBlocks].slice(1)) }, /not among the blocks/)
  check7({ commit: post(1).cid }, /the event is about commit/)
  check7({ blocks: writeCar([signed.commit.data, signed.cid], frameBlocks) }, /the first root is/)
})

test('several roots, duplicates, any order and blocks that nobody asked for are fine', () => {
  const { context, result } = sample()
  const blocks = [...result.frameBlocks].toReversed()
  const extra = post(9999)
  const car = writeCar([result.signed.cid, extra.cid], [extra, ...blocks, ...blocks])
  assert.ok(verifyCommit(commitEvent(result, { blocks: car }), context).accepted)
})

test('[SYNC-8] a commit object that is malformed, or about another account or rev', () => {
  const { author, context, result } = sample()
  const withCommit = (bytes: Uint8Array) => {
    const cid = cidOfDrisl(bytes)
    const blocks = writeCar([cid], [{ cid, bytes }, ...[...result.frameBlocks].slice(1)])
    return verifyCommit(commitEvent(result, { commit: cid, blocks }), context)
  }
  const fields = decode(result.signed.bytes) as DataMap
  assertRefused(withCommit(encode({ ...fields, version: 2 })), 8, /version/)
  assertRefused(withCommit(encode({ ...fields, extra: 1 })), 8, /unknown fields: extra/)
  assertRefused(withCommit(encode({ ...fields, sig: new Uint8Array(63) })), 8, /sig/)
  const { prev: _, ...withoutPrev } = fields
  assertRefused(withCommit(encode(withoutPrev)), 8, /prev missing/)
  const { data, rev } = result.signed.commit
  assertRefused(
    withCommit(signCommit({ did: 'did:plc:other', data, rev }, author.keypair).bytes),
    8,
    /did:plc:other/,
  )
  assertRefused(withCommit(signCommit({ did, data, rev: revOf(50) }, author.keypair).bytes), 8, /rev/)
})

test('[SYNC-9] a bad signature, or one of another key', () => {
  const { context, result } = sample()
  const signingKey = generateKeypair('k256').publicKey
  assertRefused(verifyCommit(commitEvent(result), { ...context, signingKey }), 9, /not signed by did:key/)
  const fields = decode(result.signed.bytes) as DataMap
  const sig = (fields['sig'] as Uint8Array).slice()
  sig[10]! ^= 1
  const bytes = encode({ ...fields, sig })
  const cid = cidOfDrisl(bytes)
  const blocks = writeCar([cid], [{ cid, bytes }, ...[...result.frameBlocks].slice(1)])
  assertRefused(verifyCommit(commitEvent(result, { commit: cid, blocks }), context), 9, /not signed/)
})

test('[SYNC-10] an account whose key cannot be found out', () => {
  const { context, result } = sample()
  assertRefused(verifyCommit(commitEvent(result), { ...context, signingKey: undefined }), 10, /not known/)
})

test('[SYNC-11] operations that do not say what their kind has to say', () => {
  const { context, result } = sample()
  const path = 'app.bsky.feed.post/a'
  const [cid, prev] = [post(1).cid, post(2).cid]
  const rows: [op: { [field: string]: Value }, reason: RegExp][] = [
    [{ action: 'create', path, cid, prev }, /no prev/],
    [{ action: 'create', path, cid: null }, /a cid, and no prev/],
    [{ action: 'update', path, cid }, /both/],
    [{ action: 'update', path, cid: null, prev }, /both/],
    [{ action: 'update', path, cid, prev: cid }, /changes nothing/],
    [{ action: 'delete', path, cid: null }, /a prev, and no cid/],
    [{ action: 'delete', path, cid, prev }, /a prev, and no cid/],
    [{ action: 'upsert', path, cid }, /not an action/],
    [{ action: 'create', path: 'app.bsky.feed.post', cid }, /not a repository path/],
    [{ action: 'create', path: 'app.bsky.feed.post/a/b', cid }, /not a repository path/],
    [{ action: 'create', path: 'post/a', cid }, /not a repository path/],
    [{ action: 'create', path: 'app.bsky.feed.post/ö', cid }, /not a repository path/],
  ]
  for (const [op, reason] of rows)
    assertRefused(verifyCommit(commitEvent(result, { ops: [op] }), context), 11, reason)
  const twice = { action: 'create', path, cid }
  assertRefused(verifyCommit(commitEvent(result, { ops: [twice, twice] }), context), 11, /two operations/)
})

test('[SYNC-12] operations that the tree contradicts, or whose record was not sent', () => {
  const { context, result } = sample()
  const ops = commitEvent(result).ops.map((op) => ({ ...op })) as { [field: string]: Value }[]
  const check12 = (index: number, change: { [field: string]: Value }, reason: RegExp) =>
    assertRefused(
      verifyCommit(commitEvent(result, { ops: ops.with(index, { ...ops[index]!, ...change }) }), context),
      12,
      reason,
    )
  check12(0, { cid: post(5).cid }, /is in the tree with/)
  check12(0, { path: 'app.bsky.feed.post/newer' }, /not in the tree|not among the blocks given/)
  const undead = [{ ...ops[2]!, path: 'app.bsky.feed.post/new' }]
  assertRefused(
    verifyCommit(commitEvent(result, { ops: undead }), context),
    12,
    /was deleted, and is in the tree/,
  )
  const { cid } = result.ops[0]!
  const blocks = writeCar(
    [result.signed.cid],
    [...result.frameBlocks].filter((block) => !block.cid.equals(cid!)),
  )
  const verdict = verifyCommit(commitEvent(result, { blocks }), context)
  assertRefused(verdict, 12, /is not among the blocks/)
  assert.ok(!verdict.accepted && verdict.missing?.equals(cid!))
})

test('[SYNC-12] a tree that is none is refused before operations are looked for in it', () => {
  const author = new Author()
  const entries = Array.from({ length: 60 }, (_, n) => [`app.bsky.feed.post/k${n}`, post(n).cid] as const)
  const wide = [...Mst.from(entries).nodes()].map(({ bytes }) => decode(bytes) as { e: Value[] } & DataMap)
  const node = wide.find(({ e }) => e.length > 2)!
  for (const spoil of [
    (entries: Value[]) => entries.reverse(),
    (entries: Value[]) => entries.push(entries[0]!),
  ]) {
    const value = { ...node, e: [...node.e] }
    spoil(value.e)
    const bytes = encode(value)
    const signed = signCommit({ did, data: cidOfDrisl(bytes), rev: revOf(1) }, author.keypair)
    const blocks = writeCar([signed.cid], [signed, { cid: signed.commit.data, bytes }])
    const event = { ...commitEvent(sample().result), blocks, commit: signed.cid, rev: revOf(1), ops: [] }
    assertRefused(verifyCommit(event, { ...author.context(), account: undefined }), 12, /not an MST node/)
  }
})

test('[SYNC-13] a record that is not data is told, and refuses nothing', () => {
  const author = new Author()
  author.write(create('a', 1))
  const path = 'app.bsky.feed.post/odd'
  for (const bytes of [
    encode('text'),
    new Uint8Array([0xfb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0]),
    new Uint8Array([0xff]),
  ]) {
    const before = author.context()
    const result = author.write({
      action: author.commits === 1 ? 'create' : 'update',
      path,
      block: { cid: cidOfDrisl(bytes), bytes },
    })
    const verdict = verifyCommit(commitEvent(result), before)
    assert.ok(verdict.accepted && verdict.outcome === 'accepted')
    assert.deepEqual(
      verdict.findings.map(({ check, name }) => [check, name]),
      [[13, 'records-decode']],
    )
    const relay = verifyCommit(commitEvent(result), { ...before, decodeRecords: false })
    assert.ok(relay.accepted && relay.findings.length === 0)
  }
})

test('[SYNC-14] prevData missing on a commit that is not the first', () => {
  const { context, result } = sample()
  const { prevData: _, ...event } = commitEvent(result)
  assertRefused(verifyCommit(event, context), 14, /since says/)
  assertRefused(verifyCommit(event, { ...context, account: undefined }), 14, /since says/)
  assertRefused(verifyCommit({ ...event, since: null }, context), 14, /not the first commit that is known/)
})

test('[SYNC-15] operations that do not lead back to prevData', () => {
  const { context, result } = sample()
  const event = commitEvent(result)
  assertRefused(verifyCommit({ ...event, prevData: post(1).cid }, context), 15, /lead to/)
  for (let i = 0; i < event.ops.length; i++)
    assertRefused(
      verifyCommit({ ...event, ops: event.ops.toSpliced(i, 1) }, context),
      15,
      /lead to|not among/,
    )
  const lying = event.ops.with(2, { ...event.ops[2]!, prev: post(77).cid })
  assertRefused(verifyCommit({ ...event, ops: lying }, context), 15, /lead to/)
  const { prevData: _, ...first } = event
  const unknown = { ...context, account: undefined }
  assertRefused(verifyCommit({ ...first, since: null }, unknown), 15, /more than its operations|not among/)
})

test('[SYNC-15] a proof that lacks a node is incomplete, whichever it is, and says which', () => {
  const { context, result } = sample()
  const blocks = [...result.frameBlocks]
  const nodes = blocks.filter(
    ({ cid }) => !cid.equals(result.signed.cid) && !result.ops.some((op) => op.cid?.equals(cid)),
  )
  assert.ok(nodes.length >= 4)
  let refused = 0
  for (const node of nodes) {
    const car = writeCar(
      [result.signed.cid],
      blocks.filter((block) => block !== node),
    )
    const verdict = verifyCommit(commitEvent(result, { blocks: car }), context)
    if (verdict.accepted) {
      assert.ok(
        !result.newBlocks.has(node.cid),
        'only a neighbour that nothing had to be merged with may lack',
      )
      continue
    }
    refused++
    assert.ok(verdict.check === 12 || verdict.check === 15)
    assert.ok(verdict.missing?.equals(node.cid))
  }
  assert.ok(refused >= 4)
})

test('[SYNC-16] an event that does not follow on what is known is accepted, and told apart', () => {
  const { context, result } = sample()
  const event = commitEvent(result)
  const head = context.account!.head!
  const rows: [{ data: Cid; rev: string }, RegExp][] = [
    [{ ...head, rev: revOf(-1) }, /since is/],
    [{ ...head, data: post(1).cid }, /prevData is/],
  ]
  for (const [known, reason] of rows) {
    const verdict = verifyCommit(event, { ...context, account: { status: 'active', head: known } })
    assert.ok(verdict.accepted && verdict.outcome === 'discontinuous')
    assert.deepEqual(
      verdict.findings.map(({ check }) => check),
      [16],
    )
    assert.match(verdict.findings[0]!.reason, reason)
    assert.deepEqual(verdict.state, { data: result.tree.root, rev: result.signed.commit.rev })
  }
  const unknown = verifyCommit(event, { ...context, account: undefined })
  assert.ok(unknown.accepted && unknown.outcome === 'accepted' && !unknown.genesis)
})

test('no byte of a commit’s blocks can be another', () => {
  const { context, result } = sample()
  const event = commitEvent(result)
  for (let i = 0; i < event.blocks.length; i += 13) {
    const blocks = event.blocks.slice()
    blocks[i]! ^= 0x01
    assert.equal(verifyCommit({ ...event, blocks }, context).accepted, false, `byte ${i}`)
  }
})

test('noise gives verdicts, never exceptions', () => {
  const { author, context, result } = sample()
  const random = createRandom(99)
  const nodes = [...result.frameBlocks].slice(1)
  for (let i = 0; i < 100; i++) {
    // Properly hashed and signed nonsense gets past everything that is cheap.
    const { bytes } = random.pick(nodes)
    const spoiled = bytes.slice()
    for (let n = 0; n <= random.int(3); n++) spoiled[random.int(spoiled.length)] = random.int(256)
    const data = cidOfDrisl(spoiled)
    const signed = signCommit({ did, data, rev: result.signed.commit.rev }, author.keypair)
    const car = new BlockMap([signed, ...nodes]).set(data, spoiled)
    const blocks = writeCar([signed.cid], car)
    const verdict = verifyCommit({ ...commitEvent(result), blocks, commit: signed.cid }, context)
    assert.equal(verdict.accepted, data.equals(result.tree.root), 'accepted only where no byte is another')
  }
})
