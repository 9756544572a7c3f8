import assert from 'node:assert/strict'
import test from 'node:test'
import { createRandom } from '@imago/sim/random'
import { ACCOUNT_TOPIC, entryKey, IDENTITY_TOPIC, upstreamSeqOf } from '../entry-key.ts'
import { compileFilter, type Filter } from './filter.ts'

const TOPICS = [
  'app.bsky.feed.post',
  'app.bsky.feedback.x',
  'app.bsky.graph.follow',
  IDENTITY_TOPIC,
  ACCOUNT_TOPIC,
]
const DIDS = ['did:plc:alice', 'did:plc:bob', 'did:web:carol.test%3A8080']

test('a filter says what its parts say, one by one', () => {
  const random = createRandom(3)
  const some = <T>(items: readonly T[]): T[] => items.filter(() => random.chance(0.4))
  const counts = { passed: 0, held: 0 }
  for (let i = 0; i < 500; i++) {
    const filter: Filter = {
      collections: new Set(some(TOPICS.slice(0, 3))),
      prefixes: some(['app.bsky.feed.', 'app.', 'com.example.']),
      dids: new Set(some(DIDS)),
      maxMessageSizeBytes: random.pick([0, 50]),
    }
    const passes = compileFilter(filter)
    for (const topic of TOPICS)
      for (const did of DIDS) {
        const payload = new Uint8Array(random.pick([50, 51]))
        const expected =
          (topic.startsWith('#') ||
            (filter.collections.size === 0 && filter.prefixes.length === 0) ||
            filter.collections.has(topic) ||
            filter.prefixes.some((prefix) => topic.startsWith(prefix))) &&
          (filter.dids.size === 0 || filter.dids.has(did)) &&
          (filter.maxMessageSizeBytes === 0 || payload.length <= filter.maxMessageSizeBytes)
        assert.equal(passes({ seq: 1, key: entryKey(topic, did, 9), payload }), expected)
        counts[expected ? 'passed' : 'held']++
      }
  }
  assert.ok(counts.passed > 100 && counts.held > 100)
})

test('a key tells the seq of the relay, and a strange one is refused', () => {
  assert.equal(upstreamSeqOf(entryKey('app.bsky.feed.post', 'did:plc:alice', 123)), 123)
  for (const key of ['', 'did:plc:alice', 'a b c', 'a b 1 2', 'a b -1', 'a b 1.5'])
    assert.throws(() => upstreamSeqOf(key), /which Jetstream did not write/)
})
