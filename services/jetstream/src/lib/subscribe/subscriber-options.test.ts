import assert from 'node:assert/strict'
import test from 'node:test'
import { readOptionsUpdate, readQuery } from './subscriber-options.ts'

const query = (text: string) => readQuery(new URLSearchParams(text))

test('an address without parameters asks for everything, live', () => {
  assert.deepEqual(query(''), {
    filter: { collections: new Set(), prefixes: [], dids: new Set(), maxMessageSizeBytes: 0 },
    cursor: undefined,
    requireHello: false,
  })
})

test('collections are NSIDs or prefixes that end with a whole segment', () => {
  const { filter } = query(
    'wantedCollections=app.bsky.feed.post&wantedCollections=app.bsky.*&wantedCollections=x.*',
  )
  assert.deepEqual([[...filter.collections], filter.prefixes], [['app.bsky.feed.post'], ['app.bsky.', 'x.']])
  for (const bad of ['app.bsky.fo*', 'app.bsky', '*', 'app.bsky.feed.post/1', ''])
    assert.throws(() => query(`wantedCollections=${bad}`), { name: 'SubscriberOptionsError' })
})

test('limits count what is left after duplicates', () => {
  const same = Array.from({ length: 150 }, (_, i) => `wantedCollections=com.example.n${i % 100}`).join('&')
  assert.equal(query(same).filter.collections.size, 100)
  assert.throws(() => query(`${same}&wantedCollections=com.example.*`), /101 are too many, at most 100/)
  const wantedDids = Array.from({ length: 10_001 }, (_, i) => `did:plc:${i}`)
  assert.throws(
    () => readOptionsUpdate({ type: 'options_update', payload: { wantedDids } }),
    /10001 are too many/,
  )
  const filter = readOptionsUpdate({
    type: 'options_update',
    payload: { wantedDids: [...wantedDids.slice(1), 'did:plc:1'] },
  })
  assert.equal(filter?.dids.size, 10_000)
})

test('a cursor is a whole number, and one before 1970 the oldest', () => {
  assert.equal(query('cursor=1700000000000000').cursor, 1_700_000_000_000_000)
  assert.equal(query('cursor=').cursor, undefined)
  assert.equal(query('cursor=-5').cursor, 0)
  for (const bad of ['1.5', 'now', '1e15', ' 1'])
    assert.throws(() => query(`cursor=${encodeURIComponent(bad)}`), /is not a whole number/)
})

test('a size limit that cannot be read is none', () => {
  for (const [text, size] of [
    ['1000', 1000],
    ['0', 0],
    ['-1', 0],
    ['big', 0],
    ['1.5', 0],
    ['99999999999999999999', 0],
  ] as const) {
    assert.equal(query(`maxMessageSizeBytes=${text}`).filter.maxMessageSizeBytes, size)
  }
})

test('requireHello is the word true', () => {
  assert.equal(query('requireHello=true').requireHello, true)
  for (const other of ['1', 'True', 'yes', ''])
    assert.equal(query(`requireHello=${other}`).requireHello, false)
})

test('absent members of an update ask for everything; messages of other types for nothing', () => {
  const everything = { collections: new Set(), prefixes: [], dids: new Set(), maxMessageSizeBytes: 0 }
  const update = (payload: unknown) => readOptionsUpdate({ type: 'options_update', payload })
  assert.deepEqual(update({}), everything)
  assert.deepEqual(update({ wantedCollections: [], wantedDids: null, maxMessageSizeBytes: -1 }), everything)
  assert.deepEqual(update({ maxMessageSizeBytes: 10 }), { ...everything, maxMessageSizeBytes: 10 })
  assert.equal(readOptionsUpdate({ type: 'ping' }), undefined)
  assert.equal(readOptionsUpdate({}), undefined)
})
