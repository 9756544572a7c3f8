// @atproto/sync follows the relay and the PDS with verification on; @atproto/repo verifies a whole export.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { IdResolver } from '@atproto/identity'
import { readCarWithRoot, verifyRepo } from '@atproto/repo'
import { type Event, Firehose, MemoryRunner } from '@atproto/sync'
import { signUp } from './accounts.ts'
import { type Network, startNetwork } from './network.ts'
import { until } from './until.ts'

let network: Network
before(async () => {
  network = await startNetwork()
})
after(() => network[Symbol.asyncDispose]())

/** The client refuses to talk to loopback unless it is given a fetch. */
const resolver = () => new IdResolver({ plcUrl: network.plc, fetch: globalThis.fetch })

for (const [name, addressOf] of [
  ['PDS', () => network.pds],
  ['relay', () => network.relay],
] as const)
  test(`[F1, F2, F4, F5, Y9] the ${name}'s stream passes the client's own verification`, async () => {
    const events: Event[] = []
    const errors: Error[] = []
    const idResolver = resolver()
    const runner = new MemoryRunner({ startCursor: 0 })
    const firehose = new Firehose({
      service: addressOf().replace('http', 'ws'),
      idResolver,
      runner,
      // Handles of the development network end in .test, which no public resolver knows.
      unauthenticatedHandles: true,
      handleEvent: (event) => {
        events.push(event)
      },
      onError: (error) => errors.push(error),
    })
    firehose.start()
    try {
      const { agent, did } = await signUp(network.pds)
      const { uri } = await agent.post({ text: 'first' })
      const rkey = uri.split('/').at(-1)!
      await agent.com.atproto.repo.putRecord({
        repo: did,
        collection: 'app.bsky.feed.post',
        rkey,
        record: { $type: 'app.bsky.feed.post', text: 'second', createdAt: new Date().toISOString() },
      })
      await agent.deletePost(uri)
      await until('the deletion on the stream', () =>
        events.find((event) => event.event === 'delete' && event.did === did),
      )
      const mine = events.filter((event) => event.did === did)
      assert.deepEqual(
        mine.map((event) => event.event),
        ['identity', 'account', 'sync', 'create', 'update', 'delete'].filter((kind) =>
          mine.some((e) => e.event === kind),
        ),
      )
      assert.ok(mine.some((event) => event.event === 'identity'))
      assert.ok(mine.some((event) => event.event === 'account' && event.active))
      const created = mine.find((event) => event.event === 'create')!
      assert.equal(created.event === 'create' && (created.record as { text?: string }).text, 'first')
      assert.deepEqual(errors, [])
    } finally {
      await firehose.destroy()
    }
  })

test('[Y1] @atproto/repo verifies our export', async () => {
  const { agent, did } = await signUp(network.pds)
  for (let i = 0; i < 40; i++) await agent.post({ text: `post ${i}` })
  const { data: car } = await agent.com.atproto.sync.getRepo({ did })
  const { root, blocks } = await readCarWithRoot(new Uint8Array(car))
  const signingKey = (await resolver().did.resolveAtprotoData(did)).signingKey
  const verified = await verifyRepo(blocks, root, did, signingKey)
  assert.equal(verified.creates.length, 40)

  const latest = await agent.com.atproto.sync.getLatestCommit({ did })
  assert.equal(latest.data.cid, root.toString())
  assert.equal(latest.data.rev, verified.commit.rev)
})
