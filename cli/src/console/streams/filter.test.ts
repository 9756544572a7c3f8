import assert from 'node:assert/strict'
import test from 'node:test'
import { createFilter, FilterError, type LiveQuery, liveSearch, readLiveQuery } from './filter.ts'
import type { LiveEvent } from './live-event.ts'

const alice = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz'
const everything: LiveQuery = { source: 'relay', collection: '', account: '', kind: '' }
const event = (facts: Partial<LiveEvent>): LiveEvent => ({
  source: 'relay',
  position: 1,
  index: 0,
  time: '2026-01-02T03:04:05.678Z',
  kind: 'create',
  did: alice,
  ...facts,
})
const didOfHandle = async (handle: string) => (handle === 'alice.test' ? alice : undefined)

async function passes(query: Partial<LiveQuery>, facts: Partial<LiveEvent>): Promise<boolean> {
  return (await createFilter({ ...everything, ...query }, didOfHandle))(event(facts))
}

test('filters by collection, by all below a prefix, by account and by kind', async () => {
  const post = { path: 'app.bsky.feed.post/1' }
  assert.equal(await passes({}, {}), true)
  assert.equal(await passes({ collection: 'app.bsky.feed.post' }, post), true)
  assert.equal(await passes({ collection: 'app.bsky.feed.pos' }, post), false)
  assert.equal(await passes({ collection: 'app.bsky.feed.*' }, post), true)
  assert.equal(await passes({ collection: 'app.bsky.fee.*' }, post), false)
  assert.equal(await passes({ collection: 'app.bsky.feed.*' }, { kind: 'identity' }), false)
  assert.equal(await passes({ account: 'Alice.TEST' }, {}), true)
  assert.equal(await passes({ account: alice }, { did: 'did:web:example.com' }), false)
  assert.equal(await passes({ kind: 'delete' }, {}), false)
  assert.equal(await passes({ kind: 'delete' }, { kind: 'delete' }), true)
})

test('what cannot be filtered by is refused with the value and what is expected', async () => {
  for (const [query, message] of [
    [{ collection: 'not a name' }, /‘not a name’ is no collection: expected a name such as/],
    [{ collection: '.*' }, /no collection prefix/],
    [{ account: 'alice' }, /‘alice’ is no account/],
    [{ account: 'bob.test' }, /no account has the handle ‘bob.test’/],
  ] as const)
    await assert.rejects(createFilter({ ...everything, ...query }, didOfHandle), (error) => {
      assert.ok(error instanceof FilterError)
      assert.match(error.message, message)
      return true
    })
})

test('a query survives the way through an address', () => {
  const query: LiveQuery = { source: 'jetstream', collection: 'a.b.*', account: 'alice.test', kind: 'sync' }
  assert.deepEqual(readLiveQuery(new URLSearchParams(liveSearch(query))), query)
  assert.equal(liveSearch(everything), '')
  assert.deepEqual(readLiveQuery(new URLSearchParams('source=x&kind=y&account=%20@alice.test%20')), {
    ...everything,
    account: 'alice.test',
  })
})
