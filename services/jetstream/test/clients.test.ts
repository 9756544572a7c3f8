import assert from 'node:assert/strict'
import test from 'node:test'
import { JetstreamSubscription } from '@atcute/jetstream'
import { parseCid } from '@imago/data'
import { serve } from '@imago/service'
import type { Did } from '@imago/syntax'
import { Jetstream } from '@skyware/jetstream'
import { createFakeRelay, type FakeCommit, TIME } from './fake-relay.ts'
import { startJetstream, temporaryFolder } from './test-jetstream.ts'

const ALICE: Did = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz'
const BOB: Did = 'did:web:bob.test'
const LINK = 'bafyreib2rxk3rybk3aobmv5cjuql3bm2twh4jo5uxgf5kpqcsgz7soitae'

test('the clients that people have follow it as it is, behind a relay on a socket', async () => {
  using folder = temporaryFolder()
  const relay = createFakeRelay()
  await using relayServer = await serve({
    fetch: () => new Response('relay'),
    upgrade: relay.upgrade,
    hostname: '127.0.0.1',
    port: 0,
  })
  await using service = await startJetstream({
    dataDirectory: folder.path,
    relayUrl: relayServer.url,
  })
  const endpoint = `${service.url.replace('http', 'ws')}/subscribe`
  const commits: FakeCommit[] = [
    relay.commit(ALICE, [['app.bsky.feed.post/3lhpuvsm22222', { text: 'one', link: parseCid(LINK) }]]),
    relay.commit(BOB, [['app.bsky.feed.post/3lhpuvsm22223', { text: 'not for them' }]]),
    relay.commit(ALICE, [['com.example.note/1', { n: 1 }]]),
    relay.commit(ALICE, [['app.bsky.feed.post/3lhpuvsm22222', { text: 'two' }]]),
    relay.commit(ALICE, [['app.bsky.feed.post/3lhpuvsm22222', null]]),
  ]
  relay.send('#account', { did: ALICE, time: TIME, active: false, status: 'deactivated' })
  relay.send('#identity', { did: ALICE, time: TIME, handle: 'alice.test' })

  const problems: unknown[] = []
  const wanted = { wantedCollections: ['app.bsky.feed.*'], wantedDids: [ALICE] }
  const atcute: unknown[] = []
  const atcuteEnds = (async () => {
    const options = { url: endpoint, ...wanted, cursor: 1, onError: (error: unknown) => problems.push(error) }
    for await (const event of new JetstreamSubscription(options)) {
      atcute.push(event)
      if (event.kind === 'identity') return
    }
  })()
  const skyware: unknown[] = []
  const skywareEnds = new Promise<void>((resolve) => {
    const client = new Jetstream({ endpoint, ...wanted, cursor: 1 })
    client.on('commit', (event) => skyware.push(event))
    client.on('account', (event) => skyware.push(event))
    client.on('error', (error) => problems.push(error))
    client.on('identity', (event) => {
      skyware.push(event)
      client.close()
      resolve()
    })
    client.start()
  })
  await Promise.all([atcuteEnds, skywareEnds])

  const post = (at: number, operation: string, record?: object) => ({
    rev: commits[at]!.rev,
    operation,
    collection: 'app.bsky.feed.post',
    rkey: '3lhpuvsm22222',
    ...(record && { record, cid: commits[at]!.cids[0]!.toString() }),
  })
  const withoutTimes = (events: readonly unknown[]) =>
    events.map((event) => ({ ...(event as object), time_us: undefined }))
  const about = { did: ALICE, time_us: undefined }
  const expected = [
    { ...about, kind: 'commit', commit: post(0, 'create', { text: 'one', link: { $link: LINK } }) },
    { ...about, kind: 'commit', commit: post(3, 'update', { text: 'two' }) },
    { ...about, kind: 'commit', commit: post(4, 'delete') },
    {
      ...about,
      kind: 'account',
      account: { did: ALICE, time: TIME, active: false, status: 'deactivated', seq: 6 },
    },
    { ...about, kind: 'identity', identity: { did: ALICE, time: TIME, handle: 'alice.test', seq: 7 } },
  ]
  assert.deepEqual(withoutTimes(atcute), expected)
  assert.deepEqual(withoutTimes(skyware), expected)
  assert.deepEqual(problems, [])
})
