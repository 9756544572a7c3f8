import assert from 'node:assert/strict'
import test from 'node:test'
import { cidOfRaw, type DataMap } from '@imago/data'
import { encodeErrorFrame, encodeFrame } from '@imago/xrpc/frames'
import { eventsOfFrame, eventsOfJetstream, frameSeq } from './live-event.ts'

const did = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz'
const time = '2026-01-02T03:04:05.678Z'
const cid = cidOfRaw(new Uint8Array([1]))

function commit(ops: DataMap[]): Uint8Array {
  return encodeFrame('#commit', {
    seq: 7,
    repo: did,
    commit: cid,
    rev: '3jzfcijpj2z2a',
    since: null,
    blocks: new Uint8Array(),
    ops,
    blobs: [],
    time,
    tooBig: false,
    rebase: false,
  })
}

test('a commit is a row for each of its operations, or one where it has none', () => {
  const payload = commit([
    { action: 'create', path: 'com.example.note/a', cid },
    { action: 'delete', path: 'com.example.note/b', cid: null, prev: cid },
  ])
  const base = { source: 'relay', position: 7, time, did }
  assert.deepEqual(eventsOfFrame(payload), [
    { ...base, index: 0, kind: 'create', path: 'com.example.note/a' },
    { ...base, index: 1, kind: 'delete', path: 'com.example.note/b' },
  ])
  assert.deepEqual(eventsOfFrame(commit([])), [{ ...base, index: 0, kind: 'commit' }])
  assert.equal(frameSeq(payload), 7)
})

test('events about accounts tell what they are about', () => {
  const rows = [
    encodeFrame('#identity', { seq: 8, did, time, handle: 'alice.test' }),
    encodeFrame('#account', { seq: 9, did, time, active: true }),
    encodeFrame('#account', { seq: 10, did, time, active: false, status: 'deactivated' }),
    encodeFrame('#sync', { seq: 11, did, time, rev: '3jzfcijpj2z2a', blocks: new Uint8Array() }),
  ].flatMap(eventsOfFrame)
  assert.deepEqual(
    rows.map(({ position, kind, note }) => [position, kind, note]),
    [
      [8, 'identity', 'alice.test'],
      [9, 'account', 'active'],
      [10, 'account', 'deactivated'],
      [11, 'sync', undefined],
    ],
  )
})

test('what is no event has no row, and no place', () => {
  for (const payload of [
    encodeFrame('#info', { name: 'OutdatedCursor' }),
    encodeFrame('#later', { seq: 1 }),
    encodeErrorFrame('FutureCursor'),
  ])
    assert.deepEqual(eventsOfFrame(payload), [])
  assert.equal(frameSeq(encodeFrame('#info', { name: 'OutdatedCursor' })), undefined)
  assert.throws(() => eventsOfFrame(encodeFrame('#commit', { seq: 1 })))
  assert.throws(() => eventsOfFrame(new Uint8Array([1, 2, 3])))
})

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))

test('messages of Jetstream are rows of the same shape', () => {
  const time_us = Date.parse(time) * 1000
  const rows = [
    {
      did,
      time_us,
      kind: 'commit',
      commit: { rev: 'r', operation: 'update', collection: 'a.b.c', rkey: 'k' },
    },
    { did, time_us: time_us + 1000, kind: 'identity', identity: { did, handle: 'alice.test' } },
    { did, time_us: time_us + 2000, kind: 'account', account: { did, active: false } },
    { did, time_us, kind: 'later' },
  ].flatMap((message) => eventsOfJetstream(json(message)))
  assert.deepEqual(
    rows.map(({ time, kind, path, note }) => [time, kind, path, note]),
    [
      [time, 'update', 'a.b.c/k', undefined],
      ['2026-01-02T03:04:05.679Z', 'identity', undefined, 'alice.test'],
      ['2026-01-02T03:04:05.680Z', 'account', undefined, 'inactive'],
    ],
  )
  for (const none of [null, {}, { did }, { did, time_us: 'now' }])
    assert.throws(() => eventsOfJetstream(json(none)), TypeError)
})
