import assert from 'node:assert/strict'
import test from 'node:test'
import { generateKeypair } from '@imago/crypto'
import { BlockMap, cidOfDrisl, type DataMap, encode, writeCar } from '@imago/data'
import type { DidIdentity } from '@imago/identity'
import { type CommitResult, writeCommit } from '@imago/repo'
import { createTidClock } from '@imago/syntax'
import { encodeFrame } from '@imago/xrpc/frames'
import type { Names } from '../names.ts'
import { inspectFrame } from './inspect-event.ts'

const did = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz'
const nowMs = Date.UTC(2026, 0, 2)
const keypair = generateKeypair('k256')
const record = encode({ $type: 'com.example.note', text: 'hello', n: 1 })

function firstCommit(): CommitResult {
  const clock = createTidClock({ nowMicros: () => nowMs * 1000, clockId: 1 })
  const block = { cid: cidOfDrisl(record), bytes: record }
  const writes = [{ action: 'create', path: 'com.example.note/a', block }] as const
  return writeCommit({ did, source: new BlockMap(), head: null, writes, rev: clock.next(), keypair })
}

function frameOf({ signed, ops, frameBlocks }: CommitResult, changes: DataMap = {}): Uint8Array {
  return encodeFrame('#commit', {
    seq: 7,
    repo: did,
    commit: signed.cid,
    rev: signed.commit.rev,
    since: null,
    blocks: writeCar([signed.cid], frameBlocks),
    ops: ops.map(({ action, path, cid }) => ({ action, path, cid })),
    blobs: [],
    time: new Date(nowMs).toISOString(),
    tooBig: false,
    rebase: false,
    ...changes,
  })
}

/** A directory that knows one key, and counts how often it is asked anew. */
function namesWith(signingKey: DidIdentity['signingKey']): Names & { refreshed: number } {
  const names = {
    refreshed: 0,
    handleOf: async () => undefined,
    didOf: async () => undefined,
    async identityOf(_did: string, options?: { refresh?: boolean }) {
      if (options?.refresh) names.refreshed++
      return { did, signingKey } as unknown as DidIdentity
    },
    forget() {},
  }
  return names
}

test('a commit that holds is told with its signer, its checks and its records', async () => {
  const names = namesWith(keypair.publicKey)
  const event = await inspectFrame(frameOf(firstCommit()), { names, now: () => nowMs })
  assert.equal(event?.did, did)
  assert.equal(event.verification?.accepted, true)
  assert.equal(event.verification.summary, `Signed by ${keypair.didKey}`)
  assert.equal(event.verification.checks.length, 16)
  assert.deepEqual(
    event.verification.checks.filter(({ outcome }) => outcome !== 'holds').map(({ number }) => number),
    [2, 3, 6, 16],
  )
  assert.equal(names.refreshed, 0)
  assert.deepEqual(
    event.ops.map(({ path, record }) => [path, record]),
    [['com.example.note/a', { $type: 'com.example.note', text: 'hello', n: 1 }]],
  )
})

test('a commit of another key is asked about once more, and then shown as refused', async () => {
  const names = namesWith(generateKeypair('p256').publicKey)
  const event = await inspectFrame(frameOf(firstCommit()), { names, now: () => nowMs })
  assert.equal(event?.verification?.accepted, false)
  assert.match(event.verification.summary, /^Check 9, signature: .*not signed by/)
  assert.equal(names.refreshed, 1)
  const outcomes = event.verification.checks.map(({ outcome }) => outcome)
  assert.equal(outcomes[8], 'failed')
  assert.deepEqual(new Set(outcomes.slice(9)), new Set(['not made']))
})

test('an event whose blocks cannot be read is shown for what it is', async () => {
  const names = namesWith(keypair.publicKey)
  const frame = frameOf(firstCommit(), { blocks: new Uint8Array([1, 2, 3]) })
  const event = await inspectFrame(frame, { names, now: () => nowMs })
  assert.equal(event?.verification?.accepted, false)
  assert.match(event.verification.summary, /^Check 7, car-integrity/)
  assert.deepEqual(
    event.ops.map(({ record }) => record),
    [undefined],
  )
})

test('events about accounts carry no signature', async () => {
  const frame = encodeFrame('#account', { seq: 1, did, time: new Date(nowMs).toISOString(), active: true })
  const event = await inspectFrame(frame, { names: namesWith(undefined), now: () => nowMs })
  assert.equal(event?.verification, undefined)
  const info = encodeFrame('#info', { name: 'OutdatedCursor' })
  assert.equal(await inspectFrame(info, { names: namesWith(undefined), now: () => nowMs }), undefined)
})
