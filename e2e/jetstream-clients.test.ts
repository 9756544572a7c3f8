// Both published Jetstream clients receive the same posts as JSON.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { JetstreamSubscription } from '@atcute/jetstream'
import { Jetstream } from '@skyware/jetstream'
import { signUp } from './accounts.ts'
import { type Network, startNetwork } from './network.ts'
import { until } from './until.ts'

let network: Network
before(async () => {
  network = await startNetwork()
})
after(() => network[Symbol.asyncDispose]())

interface Seen {
  operation: string
  rkey: string
  text?: unknown
}

test('@skyware/jetstream and @atcute/jetstream see the same commits', async () => {
  const endpoint = `${network.jetstream.replace('http', 'ws')}/subscribe`
  const { agent, did } = await signUp(network.pds)

  const skyware: Seen[] = []
  const first = new Jetstream({ endpoint, wantedCollections: ['app.bsky.feed.post'], cursor: 1 })
  first.on('commit', ({ commit, did: author }) => {
    if (author === did)
      skyware.push({
        operation: commit.operation,
        rkey: commit.rkey,
        ...('record' in commit && { text: (commit.record as { text?: unknown }).text }),
      })
  })
  first.start()

  const atcute: Seen[] = []
  const problems: unknown[] = []
  const second = new JetstreamSubscription({
    url: endpoint,
    wantedCollections: ['app.bsky.feed.*'],
    cursor: 1,
    onError: (error) => problems.push(error),
  })
  const reading = (async () => {
    for await (const event of second) {
      if (event.kind !== 'commit' || event.did !== did) continue
      const { commit } = event
      atcute.push({
        operation: commit.operation,
        rkey: commit.rkey,
        ...(commit.operation !== 'delete' && { text: commit.record['text'] }),
      })
      if (commit.operation === 'delete') return
    }
  })()

  const { uri } = await agent.post({ text: 'one' })
  const rkey = uri.split('/').at(-1)!
  await agent.com.atproto.repo.createRecord({ repo: did, collection: 'com.example.note', record: { n: 1 } })
  await agent.com.atproto.repo.putRecord({
    repo: did,
    collection: 'app.bsky.feed.post',
    rkey,
    record: { $type: 'app.bsky.feed.post', text: 'two', createdAt: new Date().toISOString() },
  })
  await agent.deletePost(uri)

  await reading
  await until('the deletion at the first client', () =>
    skyware.find(({ operation }) => operation === 'delete'),
  )
  first.close()
  const expected = [
    { operation: 'create', rkey, text: 'one' },
    { operation: 'update', rkey, text: 'two' },
    { operation: 'delete', rkey },
  ]
  assert.deepEqual(skyware, expected)
  assert.deepEqual(atcute, expected)
  assert.deepEqual(problems, [])
})
