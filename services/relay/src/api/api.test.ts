import assert from 'node:assert/strict'
import test from 'node:test'
import { ConsumerTooSlowError } from '@imago/service'
import { decodeFrame } from '@imago/xrpc/frames'
import { payloadsOf, readStream, startTestRelay } from '../test-relay.fixture.ts'

const names = (body: unknown) => (body as { error: string }).error

test('requestCrawl takes a host that answers as one, once', async () => {
  await using t = await startTestRelay()
  const host = t.network.host('pds.example.com')
  for (const hostname of ['pds.example.com', 'https://PDS.example.com/'])
    assert.equal((await t.post('com.atproto.sync.requestCrawl', { hostname })).status, 200)
  await t.host('other.example.com')
  assert.equal(host.cursors.length, 1)
})

test('requestCrawl refuses what is no host, with a name that says why', async () => {
  await using t = await startTestRelay({ config: { allowInsecureHosts: false } })
  t.network.host('localhost:2583')
  t.network.host('10.0.0.1')
  const silent = t.network.host('silent.example.com')
  silent.down = true
  const shy = t.network.host('shy.example.com')
  shy.answers.set('com.atproto.server.describeServer', () => Response.json({ hello: 'world' }))
  const broken = t.network.host('broken.example.com')
  broken.answers.set('com.atproto.server.describeServer', () => new Response('<html>'))
  t.network.host('plain.example.com').answers.clear()
  const loop = t.network.host('loop.example.com')
  loop.answers.set('com.atproto.server.describeServer', () =>
    Response.json({ did: 'did:web:loop.example.com' }, { headers: { server: 'ATproto-Relay (indigo)' } }),
  )
  for (const [hostname, error] of [
    ['localhost:2583', 'InvalidRequest'],
    ['10.0.0.1', 'InvalidRequest'],
    ['', 'InvalidRequest'],
    ['relay.test', 'InvalidRequest'],
    ['silent.example.com', 'HostNotFound'],
    ['nobody.example.com', 'HostNotFound'],
    ['shy.example.com', 'HostNotFound'],
    ['broken.example.com', 'HostNotFound'],
    ['plain.example.com', 'HostNotFound'],
    ['loop.example.com', 'HostBanned'],
    ['loop.example.com', 'HostBanned'],
  ] as const) {
    const { status, body } = await t.post('com.atproto.sync.requestCrawl', { hostname })
    assert.deepEqual([status, names(body)], [400, error], hostname)
    assert.match((body as { message: string }).message, hostname === '' ? /""/ : new RegExp(hostname))
  }
  assert.equal(loop.cursors.length, 0)
  assert.deepEqual((await t.call('com.atproto.sync.listHosts')).body, { hosts: [] })
})

test('requestCrawl can be closed, and takes so many new hosts a day', async () => {
  await using closed = await startTestRelay({ config: { requestCrawl: false } })
  closed.network.host('pds.example.com')
  assert.equal(
    (await closed.post('com.atproto.sync.requestCrawl', { hostname: 'pds.example.com' })).status,
    403,
  )

  await using t = await startTestRelay({ config: { newHostsPerDay: 2 } })
  await t.host('a.example.com')
  await t.host('b.example.com')
  t.network.host('c.example.com')
  const ask = (hostname: string) => t.post('com.atproto.sync.requestCrawl', { hostname })
  const { status, body } = await ask('c.example.com')
  assert.deepEqual([status, names(body)], [429, 'RateLimitExceeded'])
  assert.equal((await ask('a.example.com')).status, 200, 'a known host is always welcome')
  t.clock.advance(24 * 60 * 60_000 + 1)
  assert.equal((await ask('c.example.com')).status, 200)
})

test('hosts are listed in pages, those that sent nothing left out', async () => {
  await using t = await startTestRelay()
  const hosts = [await t.host('c.example.com'), await t.host('a.example.com'), await t.host('b.example.com')]
  await t.host('silent.example.com')
  for (const [i, host] of hosts.entries()) {
    host.send(...Array.from({ length: i + 1 }, () => t.network.account(host).commit()))
    await t.caughtUp(host)
  }
  const seen: unknown[] = []
  let cursor: string | undefined
  do {
    const { body } = await t.call('com.atproto.sync.listHosts', { limit: '2', ...(cursor && { cursor }) })
    const page = body as { hosts: unknown[]; cursor?: string }
    assert.ok(page.hosts.length <= 2)
    seen.push(...page.hosts)
    cursor = page.cursor
  } while (cursor)
  assert.deepEqual(
    seen,
    ['c', 'a', 'b'].map((name, i) => ({
      hostname: `${name}.example.com`,
      seq: i + 1,
      accountCount: i + 1,
      status: 'active',
    })),
  )
  assert.equal((await t.call('com.atproto.sync.listHosts', { cursor: 'x' })).status, 400)
  const { body } = await t.call('com.atproto.sync.getHostStatus', { hostname: 'A.example.com' })
  assert.deepEqual(body, seen[1])
  const { status, body: error } = await t.call('com.atproto.sync.getHostStatus', {
    hostname: 'x.example.com',
  })
  assert.deepEqual([status, names(error)], [400, 'HostNotFound'])
})

test('repositories are listed in pages, in the order in which they came', async () => {
  await using t = await startTestRelay()
  const host = await t.host()
  const accounts = Array.from({ length: 5 }, () => t.network.account(host))
  const [, second, third, fourth] = accounts
  host.send(...accounts.map((account) => account.commit()))
  host.send(second!.status(false, 'deactivated'), third!.status(false, 'deleted'))
  host.send(t.network.account(host).status(true), fourth!.commit())
  await t.caughtUp(host)
  const repos: { did: string }[] = []
  let cursor: string | undefined
  do {
    const { body } = await t.call('com.atproto.sync.listRepos', { limit: '2', ...(cursor && { cursor }) })
    const page = body as { repos: { did: string }[]; cursor?: string }
    repos.push(...page.repos)
    cursor = page.cursor
  } while (cursor)
  const expected = accounts
    .filter((account) => account !== third)
    .map((account) => ({
      did: account.did,
      head: account.latest!.signed.cid.toString(),
      rev: account.head!.rev,
      ...(account === second ? { active: false, status: 'deactivated' } : { active: true }),
    }))
  const byDid = (a: { did: string }, b: { did: string }) => a.did.localeCompare(b.did)
  assert.deepEqual(repos.toSorted(byDid), expected.toSorted(byDid))
})

test('where a repository stands is told of active accounts, and else why not', async () => {
  await using t = await startTestRelay()
  const host = await t.host()
  const alice = t.network.account(host)
  const ask = async (nsid: string, did: string = alice.did) => {
    const { status, body } = await t.call(`com.atproto.sync.${nsid}`, { did })
    return status < 400 ? body : [status, names(body)]
  }
  for (const nsid of ['getLatestCommit', 'getRepoStatus', 'getRepo'])
    assert.deepEqual(await ask(nsid), [404, 'RepoNotFound'])
  host.send(alice.status(true))
  await t.caughtUp(host)
  assert.deepEqual(await ask('getRepoStatus'), { did: alice.did, active: true })
  assert.deepEqual(await ask('getLatestCommit'), [404, 'RepoNotSynchronized'])
  host.send(alice.commit())
  await t.caughtUp(host)
  const { rev } = alice.head!
  assert.deepEqual(await ask('getLatestCommit'), { cid: alice.latest!.signed.cid.toString(), rev })
  for (const [status, error] of [
    ['takendown', 'RepoTakendown'],
    ['suspended', 'RepoSuspended'],
    ['deactivated', 'RepoDeactivated'],
    ['deleted', 'RepoDeleted'],
    ['on-holiday', 'RepoInactive'],
    [undefined, 'RepoInactive'],
  ] as const) {
    host.send(alice.status(false, status))
    await t.caughtUp(host)
    for (const nsid of ['getLatestCommit', 'getRepo']) assert.deepEqual(await ask(nsid), [403, error])
    assert.deepEqual(await ask('getRepoStatus'), {
      did: alice.did,
      active: false,
      status: status ?? 'inactive',
    })
  }
  assert.deepEqual(await ask('getRepoStatus', 'alice.test'), [400, 'InvalidRequest'])
})

test('getRepo leads to the account’s host', async () => {
  await using t = await startTestRelay()
  for (const [hostname, origin] of [
    ['pds.example.com', 'https://pds.example.com'],
    ['localhost:2583', 'http://localhost:2583'],
  ] as const) {
    const host = await t.host(hostname)
    const alice = t.network.account(host)
    host.send(alice.commit())
    await t.caughtUp(host)
    const { status, headers } = await t.call('com.atproto.sync.getRepo', {
      did: alice.did,
      since: alice.head!.rev,
    })
    assert.equal(status, 302)
    const location = new URL(headers.get('location')!)
    assert.equal(location.origin + location.pathname, `${origin}/xrpc/com.atproto.sync.getRepo`)
    assert.deepEqual(Object.fromEntries(location.searchParams), { did: alice.did, since: alice.head!.rev })
  }
})

test('a reader begins where its cursor says, and is told where it cannot', async () => {
  await using t = await startTestRelay({ config: { replayWindowMs: 1000 } })
  const host = await t.host()
  const alice = t.network.account(host)
  host.send(alice.commit(), alice.commit(), alice.commit())
  await t.caughtUp(host)
  const seqs = async (cursor: number | undefined, count: number) =>
    (await readStream(t.relay, cursor, count)).map(({ seq, type }) => seq || type)
  assert.deepEqual(await seqs(0, 3), [1, 2, 3])
  assert.deepEqual(await seqs(2, 1), [3])
  await assert.rejects(seqs(4, 1), /FutureCursor.*cursor 4 is in the future/)

  for (const live of [undefined, 3]) {
    const reading = seqs(live, 1)
    await Promise.resolve()
    host.send(alice.commit())
    assert.deepEqual(await reading, [t.relay.head])
    if (live === undefined) break
  }
  for (const cursor of ['-1', '1.5', 'x']) {
    const refused = t.relay.upgrade(
      new Request(`http://relay.test/xrpc/com.atproto.sync.subscribeRepos?cursor=${cursor}`),
    )
    assert.ok(refused instanceof Response)
    assert.equal(refused.status, 400, cursor)
  }

  t.clock.advance(2000)
  assert.equal(await t.relay.prune(), 4)
  host.send(alice.commit())
  await t.caughtUp(host)
  // What is in memory still is told still: only a reader who comes after the process has ended sees the gap.
  await t.restart()
  const [info, next] = await readStream(t.relay, 1, 2)
  assert.equal(info!.type, '#info')
  assert.equal(info!.frame.body['name'], 'OutdatedCursor')
  assert.match(String(info!.frame.body['message']), /before 5 /)
  assert.equal(next!.seq, 5)
  assert.deepEqual(
    (await readStream(t.relay, 0, 1)).map(({ type }) => type),
    ['#commit'],
  )
})

test('a reader who is cut off for being slow is told so', async () => {
  await using t = await startTestRelay()
  const upgrade = t.relay.upgrade(new Request('http://relay.test/xrpc/com.atproto.sync.subscribeRepos'))
  assert.ok(!(upgrade instanceof Response))
  const [payload] = payloadsOf(Buffer.from(upgrade.errorMessage!(new ConsumerTooSlowError(30))!))
  const frame = decodeFrame(payload!)
  assert.ok(frame.kind === 'error' && frame.error === 'ConsumerTooSlow')
  assert.match(frame.message!, /30 s/)
  assert.equal(upgrade.errorMessage!(new Error('ours')), undefined)
})

test('everything else of the protocol is a PDS’s, and every answer says that this is a relay', async () => {
  await using t = await startTestRelay()
  const get = (path: string) => t.relay.fetch(new Request(`http://relay.test${path}`))
  for (const [path, status] of [
    ['/', 200],
    ['/robots.txt', 200],
    ['/_health', 200],
    ['/xrpc/_health', 200],
    ['/nothing', 404],
    ['/xrpc/com.atproto.server.describeServer', 501],
    ['/xrpc/com.atproto.sync.getBlob', 501],
    ['/xrpc/com.atproto.repo.getRecord', 501],
    ['/xrpc/com.atproto.sync.subscribeRepos', 426],
    ['/xrpc/com.atproto.sync.requestCrawl', 405],
    ['/xrpc/com.atproto.sync.listRepos?limit=0', 400],
  ] as const) {
    const response = await get(path)
    assert.equal(response.status, status, path)
    assert.equal(response.headers.get('server'), 'atproto-relay (imago)', path)
  }
  assert.match(await (await get('/')).text(), /subscribeRepos/)
  assert.deepEqual(await (await get('/xrpc/_health')).json(), { version: '0.1.0' })
  const preflight = await t.relay.fetch(
    new Request('http://relay.test/xrpc/com.atproto.sync.listRepos', { method: 'OPTIONS' }),
  )
  assert.equal(preflight.status, 204)
})
