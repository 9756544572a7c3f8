import assert from 'node:assert/strict'
import test from 'node:test'
import type { Did } from '@imago/syntax'
import { createFakeRelay, type FakeRelay, TIME } from './fake-relay.ts'
import { refusal, type Seen, subscriber } from './subscriber.ts'
import { startJetstream, type TestJetstream, temporaryFolder } from './test-jetstream.ts'

const ALICE: Did = 'did:plc:alice'
const BOB: Did = 'did:web:bob.test'

interface Running {
  readonly relay: FakeRelay
  readonly service: TestJetstream
  readonly url: string
}

/** A test with a Jetstream that has taken in six events: two accounts, three collections. */
function jetstreamTest(title: string, body: (running: Running) => Promise<void>): void {
  test(title, async () => {
    using folder = temporaryFolder()
    const relay = createFakeRelay()
    await using service = await startJetstream({
      dataDirectory: folder.path,
      openStream: relay.openStream,
    })
    relay.commit(ALICE, [['app.bsky.feed.post/1', { text: 'one' }]])
    relay.commit(BOB, [['app.bsky.feed.like/1', { n: 1 }]])
    relay.send('#identity', { did: ALICE, time: TIME, handle: 'alice.test' })
    relay.send('#account', { did: BOB, time: TIME, active: true })
    relay.send('#sync', { did: BOB, time: TIME, rev: '3lhpuvsm222222', blocks: new Uint8Array(1) })
    relay.commit(ALICE, [
      ['com.example.note/1', { n: 1 }],
      ['app.bsky.feed.post/1', null],
    ])
    await using all = await subscriber(service.url, '?cursor=1')
    await all.count(6)
    await body({ relay, service, url: service.url })
  })
}

const brief = ({ did, kind, commit }: Seen) =>
  `${did === ALICE ? 'alice' : 'bob'} ${commit ? `${commit.operation} ${commit.collection}` : kind}`

const EVERYTHING = [
  'alice create app.bsky.feed.post',
  'bob create app.bsky.feed.like',
  'alice identity',
  'bob account',
  'alice create com.example.note',
  'alice delete app.bsky.feed.post',
]

jetstreamTest(
  'without a filter a subscriber sees all, in order, each time above the one before',
  async ({ url }) => {
    await using client = await subscriber(url, '?cursor=1')
    const events = await client.count(6)
    assert.deepEqual(events.map(brief), EVERYTHING)
    const times = events.map(({ time_us }) => time_us)
    assert.ok(times.every((time, i) => Number.isSafeInteger(time) && (i === 0 || time > times[i - 1]!)))
  },
)

for (const [wanted, expected] of [
  [['app.bsky.feed.post'], [0, 2, 3, 5]],
  [['app.bsky.feed.*'], [0, 1, 2, 3, 5]],
  [
    ['app.*', 'com.example.note'],
    [0, 1, 2, 3, 4, 5],
  ],
  [['app.bsky.fee.*'], [2, 3]],
] as const)
  jetstreamTest(
    `wantedCollections ${wanted} lets identity and account events pass`,
    async ({ url, relay }) => {
      await using client = await subscriber(url, [
        ['cursor', '1'],
        ...wanted.map((one) => ['wantedCollections', one] as const),
      ])
      relay.send('#account', { did: ALICE, time: TIME, active: false, status: 'deactivated' })
      await client.count(expected.length + 1)
      assert.deepEqual(client.events.map(brief), [...expected.map((i) => EVERYTHING[i]), 'alice account'])
    },
  )

jetstreamTest('wantedDids holds for every kind of event', async ({ url, relay }) => {
  await using client = await subscriber(url, `?cursor=1&wantedDids=${BOB}&wantedCollections=app.bsky.feed.*`)
  relay.commit(BOB, [['app.bsky.feed.like/2', { n: 2 }]])
  await client.count(3)
  assert.deepEqual(client.events.map(brief), [EVERYTHING[1], EVERYTHING[3], EVERYTHING[1]])
})

jetstreamTest('events above maxMessageSizeBytes are left out', async ({ url, relay }) => {
  await using client = await subscriber(url, '?maxMessageSizeBytes=400')
  relay.commit(ALICE, [['com.example.note/2', { text: 'x'.repeat(400) }]])
  relay.commit(ALICE, [['com.example.note/3', { text: 'x' }]])
  const [event] = await client.count(1)
  assert.equal(event!['commit'].rkey, '3')
})

jetstreamTest('a cursor excludes the event at it', async ({ url }) => {
  await using all = await subscriber(url, '?cursor=1')
  const third = (await all.count(6))[2]!
  await using rest = await subscriber(url, `?cursor=${third.time_us}`)
  await rest.count(3)
  assert.deepEqual(rest.events, all.events.slice(3))
})

jetstreamTest('a cursor that is absent or in the future means live', async ({ url, relay }) => {
  const future = String((Date.now() + 3_600_000) * 1000)
  await using absent = await subscriber(url)
  await using ahead = await subscriber(url, `?cursor=${future}`)
  await using beyond = await subscriber(url, '?cursor=99999999999999999999')
  relay.send('#identity', { did: BOB, time: TIME })
  for (const client of [absent, ahead, beyond]) {
    await client.count(1)
    assert.deepEqual(client.events.map(brief), ['bob identity'])
  }
})

jetstreamTest('replay goes over into live without a seam', async ({ url, relay }) => {
  for (let i = 0; i < 50; i++) relay.commit(ALICE, [[`com.example.note/a${i}`, { i }]])
  await using client = await subscriber(url, '?cursor=0&wantedCollections=com.example.note')
  for (let i = 0; i < 50; i++) relay.commit(ALICE, [[`com.example.note/b${i}`, { i }]])
  const events = await client.count(103)
  const notes = events.flatMap(({ commit }) => (commit ? [commit.rkey] : []))
  const ten = Array.from({ length: 50 }, (_, i) => i)
  assert.deepEqual(notes, ['1', ...ten.map((i) => `a${i}`), ...ten.map((i) => `b${i}`)])
})

jetstreamTest(
  'requireHello holds everything back, replay too, until a valid options_update',
  async ({ url, relay }) => {
    await using client = await subscriber(url, '?cursor=1&requireHello=true')
    await using witness = await subscriber(url)
    client.send({ type: 'something_else', payload: 7 })
    relay.commit(BOB, [['com.example.note/9', { n: 9 }]])
    await witness.count(1)
    assert.deepEqual(client.texts, [])
    client.send({ type: 'options_update', payload: { wantedDids: [BOB] } })
    await client.count(3)
    assert.deepEqual(client.events.map(brief), [EVERYTHING[1], EVERYTHING[3], 'bob create com.example.note'])
  },
)

jetstreamTest('options_update takes the place of the whole filter', async ({ url, relay }) => {
  await using client = await subscriber(
    url,
    `?cursor=1&wantedDids=${BOB}&wantedCollections=app.bsky.feed.like`,
  )
  await client.count(2)
  client.send({ type: 'options_update', payload: { wantedCollections: ['com.example.note'] } })
  // The update has no answer of its own: what shows it is an event that only the new filter lets pass.
  for (let i = 0; client.events.length === 2; i++) {
    relay.commit(ALICE, [[`com.example.note/x${i}`, { i }]])
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  assert.equal(client.events[2]!.did, ALICE)
  const before = client.events.length
  client.send({ type: 'options_update', payload: { wantedCollections: [], wantedDids: null } })
  for (let i = 0; !client.events.slice(before).some(({ commit }) => commit?.collection === 'app.z.y'); i++) {
    relay.commit(ALICE, [[`app.z.y/x${i}`, { i }]])
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
})

for (const [what, message, code, reason] of [
  ['text that is no JSON', '{"type":', 1007, /not JSON/],
  ['a payload that is no object', '{"type":"options_update"}', 1008, /payload: expected/],
  ['an array', '[]', 1008, /expected a JSON object/],
  ['a bad DID', '{"type":"options_update","payload":{"wantedDids":["bob"]}}', 1008, /"bob" is not a DID/],
  [
    'a bad collection',
    '{"type":"options_update","payload":{"wantedCollections":["a*"]}}',
    1008,
    /"a\*" is neither/,
  ],
  [
    'a filter of another type',
    '{"type":"options_update","payload":{"wantedDids":"x"}}',
    1008,
    /array of strings/,
  ],
  [
    'a size that is no number',
    '{"type":"options_update","payload":{"maxMessageSizeBytes":"1"}}',
    1008,
    /bytes/,
  ],
  ['a binary message', new Uint8Array([1, 2]), 1003, /as text/],
] as const)
  jetstreamTest(`${what} closes the connection with ${code} and says why`, async ({ url }) => {
    const client = await subscriber(url, '?requireHello=true')
    client.sendRaw(message)
    const closed = await client.closed
    assert.equal(closed.code, code)
    assert.match(closed.reason, reason)
  })

jetstreamTest('a message of 10,000 DIDs is taken, and one of more than 10 MB is not', async ({ url }) => {
  const dids = Array.from({ length: 10_000 }, (_, i) => `did:web:${'x'.repeat(60)}${i}.test`)
  await using client = await subscriber(url, '?cursor=1&requireHello=true')
  client.send({ type: 'options_update', payload: { wantedDids: [...dids.slice(1), ALICE, ALICE] } })
  await client.count(4)
  const tooMany = await subscriber(url)
  tooMany.send({ type: 'options_update', payload: { wantedDids: [...dids, ALICE] } })
  assert.equal((await tooMany.closed).code, 1008)
  const tooLarge = await subscriber(url)
  tooLarge.sendRaw(JSON.stringify('x'.repeat(10_000_000)))
  assert.equal((await tooLarge.closed).code, 1009)
})

jetstreamTest('a request that cannot be served is answered 400 in plain text', async ({ url }) => {
  const many = Array.from({ length: 101 }, (_, i) => `wantedCollections=com.example.n${i}`).join('&')
  for (const [query, message] of [
    ['?wantedCollections=app.bsky.fo*', /"app\.bsky\.fo\*" is neither/],
    ['?wantedCollections=', /"" is neither/],
    ['?wantedDids=alice', /"alice" is not a DID/],
    ['?cursor=yesterday', /"yesterday" is not a whole number/],
    [`?${many}`, /101 are too many, at most 100/],
    ['?compress=true', /not served yet/],
  ] as const) {
    const { status, text, type } = await refusal(url, query)
    assert.equal(status, 400)
    assert.match(type, /^text\/plain/)
    assert.match(text, message)
  }
})

jetstreamTest('its pages answer', async ({ url }) => {
  const get = async (path: string, init?: RequestInit) => {
    const response = await fetch(url + path, init)
    return { status: response.status, text: await response.text() }
  }
  assert.match((await get('/')).text, /Jetstream/)
  const health = await get('/_health')
  assert.equal(health.status, 200)
  const { relaySeq, newestTimeMicros, version } = JSON.parse(health.text)
  assert.equal(relaySeq, 6)
  assert.ok(newestTimeMicros > 1.7e15 && typeof version === 'string')
  assert.equal((await get('/subscribe')).status, 426)
  assert.equal((await get('/nowhere')).status, 404)
  assert.equal((await get('/', { method: 'POST' })).status, 405)
})
