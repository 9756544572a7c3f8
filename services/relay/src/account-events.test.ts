import assert from 'node:assert/strict'
import test from 'node:test'
import type { LocalStatus } from './state/account.ts'
import { type Sent, startTestRelay, type TestRelay } from './test-relay.fixture.ts'

const body = ({ frame }: Sent) => {
  const { seq: _, time: __, ...rest } = frame.body
  return rest
}

test('[SYNC-16] a #sync is passed on when it says something new, and otherwise not', async () => {
  await using t = await startTestRelay()
  const host = await t.host()
  const alice = t.network.account(host)
  host.send(alice.commit(), alice.sync())
  alice.write()
  host.send(alice.sync(), alice.sync(), alice.commit())
  await t.caughtUp(host)
  assert.deepEqual(
    (await t.sent(3)).map(({ type }) => type),
    ['#commit', '#sync', '#commit'],
  )
  assert.deepEqual(await t.drops(), { unchanged: 2 })
  assert.equal(await t.metric(`noted_events_total{host="${host.hostname}",finding="chain-continuity"}`), 0)
})

test('a #sync for an account never heard of begins its repository', async () => {
  await using t = await startTestRelay()
  const host = await t.host()
  const alice = t.network.account(host)
  alice.write()
  host.send(alice.sync(), alice.commit())
  await t.caughtUp(host)
  assert.equal((await t.sent(2)).length, 2)
  assert.equal(await t.metric(`noted_events_total{host="${host.hostname}",finding="chain-continuity"}`), 0)
})

test('an #identity is passed on with the handle that we find ourselves, or without one', async () => {
  await using t = await startTestRelay()
  const host = await t.host()
  const [alice, ended, unknown] = [t.network.account(host), t.network.account(host), t.network.account(host)]
  t.network.directory.ended.add(ended.did)
  t.network.directory.unknown.add(unknown.did)
  const { did, handle } = alice
  host.send(
    alice.commit(),
    alice.identity({ handle: handle.toUpperCase(), later: 1 }),
    alice.identity({ handle: 'mallory.test', later: 1 }),
    alice.identity({ handle: undefined }),
    ended.identity(),
    unknown.identity(),
  )
  await t.caughtUp(host)
  const sent = await t.sent(5)
  const identities = sent.filter(({ type }) => type === '#identity').map(body)
  assert.deepEqual(
    identities.filter((one) => one['did'] === did),
    [{ did, handle: handle.toUpperCase(), later: 1 }, { did, later: 1 }, { did }],
  )
  assert.deepEqual(
    identities.filter((one) => one['did'] !== did),
    [{ did: ended.did }],
  )
  assert.deepEqual(await t.drops(), { 'identity-resolved': 1 })
})

test('an #identity makes the next commit be judged by the key of today', async () => {
  await using t = await startTestRelay()
  const host = await t.host()
  const alice = t.network.account(host)
  host.send(alice.commit())
  await t.caughtUp(host)
  alice.keypair = t.network.account(host).keypair
  host.send(alice.identity(), alice.commit())
  await t.caughtUp(host)
  assert.equal((await t.sent(3)).length, 3)
  assert.equal(t.network.directory.refreshes.get(alice.did), 1)
})

test('a host may speak of another’s account, but not often', async () => {
  await using t = await startTestRelay()
  const [home, other] = [await t.host('home.example.com'), await t.host('other.example.com')]
  const alice = t.network.account(home)
  home.send(alice.commit())
  await t.caughtUp(home)
  other.send(alice.identity(), alice.identity(), alice.identity())
  await t.caughtUp(other)
  assert.deepEqual(await t.drops(), { 'sender-host': 2 })
  home.send(alice.identity(), alice.identity())
  await t.caughtUp(home)
  assert.equal((await t.sent(4)).length, 4)
  t.clock.advance(60_000)
  other.send(alice.identity())
  await t.caughtUp(other)
  assert.equal((await t.sent(5)).length, 5)
})

test('an #account says what we say, and keeps all else that its host said', async () => {
  await using t = await startTestRelay()
  const host = await t.host()
  const alice = t.network.account(host)
  const { did } = alice
  host.send(
    alice.status(true),
    alice.status(false, 'deactivated', { later: 1 }),
    alice.status(false),
    alice.status(false, 'on-holiday'),
    alice.status(true, 'throttled'),
    alice.status(true, 'desynchronized'),
    alice.commit(),
  )
  await t.caughtUp(host)
  assert.deepEqual((await t.sent(7)).slice(0, 6).map(body), [
    { did, active: true },
    { did, active: false, status: 'deactivated', later: 1 },
    { did, active: false, status: 'inactive' },
    { did, active: false, status: 'on-holiday' },
    { did, active: true, status: 'throttled' },
    { did, active: true, status: 'desynchronized' },
  ])
  const { body: status } = await t.call('com.atproto.sync.getRepoStatus', { did })
  assert.deepEqual(status, { did, active: true, status: 'desynchronized', rev: alice.head!.rev })
})

test('[SYNC-2] an #account is believed of the account’s own host only', async () => {
  await using t = await startTestRelay()
  const [home, other] = [await t.host('home.example.com'), await t.host('other.example.com')]
  const [alice, bob] = [t.network.account(home), t.network.account(home)]
  home.send(alice.commit())
  await t.caughtUp(home)
  other.send(alice.status(false, 'deleted'), bob.status(true))
  await t.caughtUp(other)
  assert.deepEqual(await t.drops(), { 'sender-host': 2 })
  assert.equal(t.relay.head, 1)
  assert.equal((await t.call('com.atproto.sync.getLatestCommit', { did: alice.did })).status, 200)
})

test('the end of an account whose DID has ended is believed of the host that had it', async () => {
  await using t = await startTestRelay()
  const [home, other] = [await t.host('home.example.com'), await t.host('other.example.com')]
  const alice = t.network.account(home)
  home.send(alice.commit())
  await t.caughtUp(home)
  t.network.directory.ended.add(alice.did)
  await assert.rejects(t.network.directory.resolveDid(alice.did, { refresh: true }))
  const cached = t.network.directory.resolveDid
  t.network.directory.resolveDid = (did) => cached(did, { refresh: true })
  other.send(alice.status(false, 'deleted'))
  await t.caughtUp(other)
  assert.deepEqual(await t.drops(), { 'identity-resolved': 1 })
  home.send(alice.status(false, 'deleted'))
  await t.caughtUp(home)
  assert.deepEqual(body((await t.sent(2))[1]!), { did: alice.did, active: false, status: 'deleted' })
  const { body: host } = await t.call('com.atproto.sync.getHostStatus', { hostname: home.hostname })
  assert.equal((host as { accountCount: number }).accountCount, 0)
})

async function setLocal(t: TestRelay, did: string, local: LocalStatus): Promise<void> {
  await t.editState((state) => {
    const account = state.account(did as never)!
    state.commit({ accounts: [{ ...account, local }], hosts: [], covered: state.covered })
  })
}

test('[SYNC-3] what we took down stays down, whatever its host says', async () => {
  await using t = await startTestRelay()
  const host = await t.host()
  const alice = t.network.account(host)
  const { did } = alice
  host.answers.set('com.atproto.sync.getRepoStatus', () => {
    throw new Error('our own decision is no question to the host')
  })
  host.send(alice.commit())
  await t.caughtUp(host)
  await setLocal(t, did, 'takendown')
  host.send(alice.commit(), alice.status(true), alice.status(false, 'deactivated'))
  await t.caughtUp(host)
  assert.deepEqual((await t.sent(3)).slice(1).map(body), [
    { did, active: false, status: 'takendown' },
    { did, active: false, status: 'takendown' },
  ])
  assert.deepEqual(await t.drops(), { 'account-active': 1 })
  assert.deepEqual((await t.call('com.atproto.sync.getRepoStatus', { did })).body, {
    did,
    active: false,
    status: 'takendown',
  })
  await setLocal(t, did, 'active')
  assert.deepEqual((await t.call('com.atproto.sync.getRepoStatus', { did })).body, {
    did,
    active: false,
    status: 'deactivated',
  })
})
