// @atproto/api, the client that most applications use, against the PDS.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { AtpAgent, RichText } from '@atproto/api'
import { signUp } from './accounts.ts'
import { type Network, startNetwork } from './network.ts'

let network: Network
before(async () => {
  network = await startNetwork()
})
after(() => network[Symbol.asyncDispose]())

test('[S1, S2, S4, S5, S6, S7] signs up, in, refreshes and out', async () => {
  const { agent, did, handle } = await signUp(network.pds)
  assert.match(did, /^did:plc:[a-z2-7]{24}$/)

  const again = new AtpAgent({ service: network.pds })
  await again.login({ identifier: handle, password: 'correct horse' })
  assert.equal(again.session?.did, did)
  const { data: session } = await again.com.atproto.server.getSession()
  assert.equal(session.handle, handle)
  assert.equal(session.active, true)

  const before = again.session!.accessJwt
  await again.sessionManager.refreshSession()
  assert.equal((await again.com.atproto.server.getSession()).data.did, did)
  assert.notEqual(again.session!.accessJwt, before)
  await again.logout()
  assert.equal(again.session, undefined)

  await assert.rejects(again.login({ identifier: handle, password: 'wrong' }), {
    status: 401,
    error: 'AuthenticationRequired',
  })
  const { data: server } = await agent.com.atproto.server.describeServer()
  assert.deepEqual(server.availableUserDomains, ['.test'])
})

test('[R1, R2, R3, R4, R5, R6, R7] posts, edits, deletes, lists', async () => {
  const { agent, did, handle } = await signUp(network.pds)
  const text = new RichText({ text: 'Hello from my own network' })
  const { uri, cid } = await agent.post({ text: text.text })
  assert.match(uri, new RegExp(`^at://${did}/app\\.bsky\\.feed\\.post/[2-7a-z]{13}$`))

  const rkey = uri.split('/').at(-1)!
  const read = await agent.com.atproto.repo.getRecord({
    repo: handle,
    collection: 'app.bsky.feed.post',
    rkey,
  })
  assert.equal(read.data.cid, cid)
  assert.equal(read.data.value['text'], text.text)

  const edited = await agent.com.atproto.repo.putRecord({
    repo: did,
    collection: 'app.bsky.feed.post',
    rkey,
    record: { ...read.data.value, text: 'edited' },
    swapRecord: cid,
  })
  assert.notEqual(edited.data.cid, cid)
  await assert.rejects(
    agent.com.atproto.repo.putRecord({
      repo: did,
      collection: 'app.bsky.feed.post',
      rkey,
      record: read.data.value,
      swapRecord: cid,
    }),
    { status: 400, error: 'InvalidSwap' },
  )

  const batch = await agent.com.atproto.repo.applyWrites({
    repo: did,
    writes: Array.from({ length: 3 }, (_, i) => ({
      $type: 'com.atproto.repo.applyWrites#create' as const,
      collection: 'com.example.note',
      value: { $type: 'com.example.note', n: i },
    })),
  })
  assert.equal(batch.data.results?.length, 3)
  const listed = await agent.com.atproto.repo.listRecords({
    repo: did,
    collection: 'com.example.note',
    limit: 2,
  })
  assert.deepEqual(
    listed.data.records.map((record) => record.value['n']),
    [2, 1],
  )
  const rest = await agent.com.atproto.repo.listRecords({
    repo: did,
    collection: 'com.example.note',
    cursor: listed.data.cursor!,
  })
  assert.deepEqual(
    rest.data.records.map((record) => record.value['n']),
    [0],
  )

  const described = await agent.com.atproto.repo.describeRepo({ repo: did })
  assert.deepEqual(described.data.collections.sort(), ['app.bsky.feed.post', 'com.example.note'])
  assert.equal(described.data.handleIsCorrect, true)

  await agent.deletePost(uri)
  await assert.rejects(
    agent.com.atproto.repo.getRecord({ repo: did, collection: 'app.bsky.feed.post', rkey }),
    {
      status: 400,
      error: 'RecordNotFound',
    },
  )
})

test('[R10, B2, B3, B6, Y7, Y8] uploads and reads a blob', async () => {
  const { agent, did } = await signUp(network.pds)
  const picture = new Uint8Array(200_000).map((_, i) => (i * 7) % 251)
  const { data } = await agent.uploadBlob(picture, { encoding: 'image/png' })
  assert.equal(data.blob.size, picture.length)
  assert.deepEqual((await agent.com.atproto.sync.listBlobs({ did })).data.cids, [])

  await agent.post({
    text: 'look',
    embed: { $type: 'app.bsky.embed.images', images: [{ image: data.blob, alt: 'noise' }] },
  })
  const cid = data.blob.ref.toString()
  assert.deepEqual((await agent.com.atproto.sync.listBlobs({ did })).data.cids, [cid])
  const read = await agent.com.atproto.sync.getBlob({ did, cid })
  assert.deepEqual(new Uint8Array(read.data), picture)
  assert.equal(read.headers['content-security-policy'], "default-src 'none'; sandbox")
  assert.equal(read.headers['x-content-type-options'], 'nosniff')
})

test('[I1] resolves handles', async () => {
  const { agent, did, handle } = await signUp(network.pds)
  assert.equal((await agent.resolveHandle({ handle })).data.did, did)
  await assert.rejects(agent.resolveHandle({ handle: 'nobody.test' }), {
    status: 400,
    error: 'HandleNotFound',
  })
})

test('bad input gets the specified error, and the server goes on', async () => {
  const { agent, did } = await signUp(network.pds)
  const post = (path: string, body: string, type = 'application/json') =>
    fetch(`${network.pds}/xrpc/${path}`, {
      method: 'POST',
      body,
      headers: { 'content-type': type, authorization: `Bearer ${agent.session!.accessJwt}` },
    })
  const cases: [string, Response, number, string][] = [
    ['malformed JSON', await post('com.atproto.repo.createRecord', '{"repo":'), 400, 'InvalidRequest'],
    ['missing field', await post('com.atproto.repo.createRecord', '{}'), 400, 'InvalidRequest'],
    [
      'a float',
      await post(
        'com.atproto.repo.createRecord',
        JSON.stringify({
          repo: did,
          collection: 'com.example.note',
          record: { $type: 'com.example.note', n: 1.5 },
        }),
      ),
      400,
      'InvalidRequest',
    ],
    [
      'bad limit',
      await fetch(`${network.pds}/xrpc/com.atproto.sync.listRepos?limit=0`),
      400,
      'InvalidRequest',
    ],
    ['unknown method', await fetch(`${network.pds}/xrpc/com.example.nothing`), 501, 'MethodNotImplemented'],
    [
      'not yet served',
      await post('com.atproto.server.createAppPassword', '{"name":"x"}'),
      501,
      'MethodNotImplemented',
    ],
    [
      'bad token',
      await fetch(`${network.pds}/xrpc/com.atproto.server.getSession`, {
        headers: { authorization: 'Bearer x.y.z' },
      }),
      400,
      'InvalidToken',
    ],
    ['no token', await fetch(`${network.pds}/xrpc/com.atproto.server.getSession`), 401, 'AuthMissing'],
  ]
  for (const [what, response, status, error] of cases) {
    const body = (await response.json()) as { error: string; message: string }
    assert.equal(response.status, status, `${what}: ${JSON.stringify(body)}`)
    assert.equal(body.error, error, what)
    assert.ok(body.message.length > 0, what)
  }
  assert.equal((await fetch(`${network.pds}/xrpc/_health`)).status, 200)
})
