import assert from 'node:assert/strict'
import test from 'node:test'
import { type Block, cidOfDrisl, encode, type Value, writeCar } from '@imago/data'
import { type FakeAccount, type FakeEvent, newKeypair } from '@imago/sim/fake-host'
import { createRandom } from '@imago/sim/random'
import { CHECKS, type CheckNumber, MAX_COMMIT_OPS } from '@imago/sync'
import { tidFromMicros } from '@imago/syntax'
import { startTestRelay, type TestRelay } from './test-relay.fixture.ts'

// Each of the sixteen checks, as the whole relay makes it: what fails is counted under the check's name and not passed
// on, and the connection goes on with the next event.

const block = (value: Value): Block => {
  const bytes = encode(value)
  return { cid: cidOfDrisl(bytes), bytes }
}
const otherCid = block({ other: true }).cid

/** A commit by somebody else, whom the account's document does not know. */
function forge(account: FakeAccount): FakeEvent {
  const { keypair, head } = account
  account.keypair = newKeypair(createRandom(99))
  const event = account.commit()
  account.keypair = keypair
  account.head = head
  return event
}

interface Scene {
  readonly t: TestRelay
  readonly alice: FakeAccount
}

/**
 * Lets `bad` make an event in a scene where the relay knows an account with one commit, and checks that it is dropped
 * for that reason, once, while another account's next commit passes.
 */
function refuses(
  check: CheckNumber,
  what: string,
  bad: (scene: Scene) => FakeEvent | Promise<FakeEvent>,
): void {
  test(`[SYNC-${check}] ${what}`, async () => {
    await using t = await startTestRelay()
    const host = await t.host()
    const [alice, bob] = [t.network.account(host), t.network.account(host)]
    host.send(alice.commit())
    await t.caughtUp(host)
    const event = await bad({ t, alice })
    host.send(event, bob.commit())
    await t.caughtUp(host)
    assert.deepEqual(await t.drops(), { [CHECKS[check]]: 1 })
    const sent = await t.sent(2)
    assert.deepEqual(
      sent.map(({ frame }) => frame.body['repo']),
      [alice.did, bob.did],
    )
    assert.equal(t.relay.head, 2)
    assert.equal(host.cursors.length, 1, 'the connection is the first one still')
    assert.deepEqual(
      t.relay.drops.about(String(event.body['repo'])).map((drop) => [drop.host, drop.check, drop.seq]),
      [[host.hostname, CHECKS[check], 2]],
    )
  })
}

refuses(1, 'a commit of something that is not a DID', ({ alice }) => alice.commit({ repo: 'alice.test' }))

refuses(2, 'a commit from a host that is not the account’s', async ({ t, alice }) => {
  alice.host = t.network.host('elsewhere.example.com')
  t.network.directory.resolveDid(alice.did, { refresh: true })
  return alice.commit()
})

refuses(4, 'a commit without blocks', ({ alice }) => alice.commit({ blocks: new Uint8Array(0) }))
refuses(4, 'a commit of more than 2 MB', ({ alice }) => alice.commit({ blocks: new Uint8Array(2_000_001) }))
refuses(4, 'a commit of too many operations', ({ alice }) =>
  alice.commit({}, ...Array.from({ length: MAX_COMMIT_OPS + 1 }, () => alice.create())),
)
refuses(4, 'a commit that says it is too big', ({ alice }) => alice.commit({ tooBig: true }))

refuses(5, 'a rev that lies in the future', ({ t, alice }) =>
  alice.commit({ rev: tidFromMicros((t.clock.now() + 6 * 60_000) * 1000, 1) }),
)
refuses(5, 'a rev that is not a TID', ({ alice }) => alice.commit({ rev: 'now' }))

refuses(6, 'a commit that came already', ({ alice }) => alice.commitEvent(alice.latest!))

refuses(7, 'a CAR whose root is another commit', ({ alice }) => alice.commit({ commit: otherCid }))
refuses(7, 'a block that is not what its CID says', ({ alice }) => {
  const event = alice.commit()
  const blocks = (event.body['blocks'] as Uint8Array).slice()
  blocks[blocks.length - 1]! ^= 1
  return { ...event, body: { ...event.body, blocks } }
})

refuses(8, 'a commit of another account', ({ t, alice }) => {
  const other = t.network.account(alice.host)
  other.write()
  const { signed, frameBlocks } = other.write()
  return alice.commit({
    commit: signed.cid,
    blocks: writeCar([signed.cid], frameBlocks),
    rev: signed.commit.rev,
  })
})

refuses(9, 'a commit that another key signed', ({ alice }) => forge(alice))

refuses(10, 'a commit of an account that cannot be resolved', ({ t, alice }) => {
  const nobody = t.network.account(alice.host)
  t.network.directory.unknown.add(nobody.did)
  return nobody.commit()
})

refuses(11, 'an update that does not say what was before', ({ alice }) => {
  const event = alice.commit()
  const [op] = event.body['ops'] as { [key: string]: Value }[]
  return { ...event, body: { ...event.body, ops: [{ ...op!, action: 'update' }] } }
})

refuses(12, 'a record that is not among the blocks', ({ alice }) => {
  const result = alice.write()
  result.frameBlocks.delete(result.ops[0]!.cid!)
  return alice.commitEvent(result)
})

refuses(14, 'a commit that is not the first, and does not say what was before', ({ alice }) =>
  alice.commit({ prevData: undefined }),
)

refuses(15, 'operations that do not lead back', ({ alice }) => alice.commit({ prevData: otherCid }))

test('[SYNC-2] an account that has moved is found at its new host, and asked for once', async () => {
  await using t = await startTestRelay()
  const [old, next] = [await t.host('old.example.com'), await t.host('new.example.com')]
  const alice = t.network.account(old)
  old.send(alice.commit())
  await t.caughtUp(old)
  alice.host = next
  next.send(alice.commit(), alice.commit())
  await t.caughtUp(next)
  old.send(alice.commit())
  await t.caughtUp(old)
  assert.equal((await t.sent(3)).length, 3)
  assert.equal(t.relay.head, 3, 'the old host is not believed any more')
  assert.equal(t.network.directory.refreshes.get(alice.did), 1)
  const { body } = await t.call('com.atproto.sync.listHosts')
  assert.deepEqual(
    (body as { hosts: { hostname: string; accountCount: number }[] }).hosts.map((host) => [
      host.hostname,
      host.accountCount,
    ]),
    [
      ['old.example.com', 0],
      ['new.example.com', 1],
    ],
  )
})

test('[SYNC-2] an account whose document names no host has none that could speak for it', async () => {
  await using t = await startTestRelay()
  const host = await t.host()
  const alice = t.network.account(host)
  const { resolveDid } = t.network.directory
  t.network.directory.resolveDid = async (did, options) => {
    const { pds: _, ...identity } = await resolveDid(did, options)
    return identity
  }
  host.send(alice.commit())
  await t.caughtUp(host)
  assert.deepEqual(await t.drops(), { 'sender-host': 1 })
  assert.equal(t.relay.head, 0)
})

for (const [answer, passes] of [
  [{ active: true, rev: '3jzfcijpj2z2a' }, true],
  [{ active: false, status: 'deactivated' }, false],
  [undefined, false],
] as const)
  test(`[SYNC-3] a commit of an account that went inactive, and ${passes ? 'came back unheard' : 'did not come back'} (${JSON.stringify(answer)})`, async () => {
    await using t = await startTestRelay()
    const host = await t.host()
    const alice = t.network.account(host)
    let asked = 0
    host.answers.set('com.atproto.sync.getRepoStatus', (url) => {
      asked++
      assert.equal(url.searchParams.get('did'), alice.did)
      return answer ? Response.json({ did: alice.did, ...answer }) : new Response('', { status: 500 })
    })
    host.send(alice.commit(), alice.status(false, 'deactivated'))
    await t.caughtUp(host)
    host.send(alice.commit(), alice.commit())
    await t.caughtUp(host)
    assert.equal(asked, 1, 'the host is asked once in a while only')
    const types = (await t.sent(passes ? 5 : 2)).map(({ type, event }) =>
      type === '#account' && 'active' in event ? `${type} ${event.active}` : type,
    )
    const told = ['#commit', '#account false']
    assert.deepEqual(types, passes ? [...told, '#account true', '#commit', '#commit'] : told)
    assert.deepEqual(await t.drops(), passes ? {} : { 'account-active': 2 })
  })

test('[SYNC-6] what is stale is not passed on, nor does it roll the repository back', async () => {
  await using t = await startTestRelay()
  const host = await t.host()
  const alice = t.network.account(host)
  const first = alice.commit()
  const firstSync = alice.sync()
  const second = alice.commit()
  host.send(first, second, first, firstSync)
  await t.caughtUp(host)
  assert.deepEqual(await t.drops(), { 'rev-advances': 2 })
  const { body } = await t.call('com.atproto.sync.getLatestCommit', { did: alice.did })
  assert.deepEqual(body, { cid: alice.latest!.signed.cid.toString(), rev: alice.head!.rev })
})

test('[SYNC-9] a commit by a new key passes after one look, and forged ones make no more', async () => {
  await using t = await startTestRelay()
  const host = await t.host()
  const alice = t.network.account(host)
  host.send(alice.commit())
  await t.caughtUp(host)
  alice.keypair = newKeypair(createRandom(5))
  host.send(alice.commit(), alice.commit())
  await t.caughtUp(host)
  assert.equal((await t.sent(3)).length, 3)
  assert.equal(t.network.directory.refreshes.get(alice.did), 1)

  host.send(forge(alice), forge(alice), forge(alice))
  await t.caughtUp(host)
  assert.equal(t.network.directory.refreshes.get(alice.did), 1, 'not again within the minute')
  t.clock.advance(60_000)
  host.send(forge(alice))
  await t.caughtUp(host)
  assert.equal(t.network.directory.refreshes.get(alice.did), 2)
  assert.deepEqual(await t.drops(), { signature: 4 })
  host.send(alice.commit())
  assert.equal((await t.sent(4)).length, 4)
})

test('[SYNC-13] a record that is none is no matter of the relay', async () => {
  await using t = await startTestRelay()
  const host = await t.host()
  const alice = t.network.account(host)
  host.send(alice.commit({}, { action: 'create', path: 'com.example.note/odd', block: block('no map') }))
  await t.caughtUp(host)
  assert.equal((await t.sent(1)).length, 1)
  assert.deepEqual(await t.drops(), {})
})

test('[SYNC-16] a gap in the chain is passed on, counted, and closed', async () => {
  await using t = await startTestRelay()
  const host = await t.host()
  const alice = t.network.account(host)
  host.send(alice.commit())
  alice.write()
  host.send(alice.commit(), alice.commit())
  await t.caughtUp(host)
  assert.equal((await t.sent(3)).length, 3)
  assert.equal(await t.metric(`noted_events_total{host="${host.hostname}",finding="chain-continuity"}`), 1)
  assert.deepEqual(await t.drops(), {})
})

test('a lenient relay passes on what is signed well and proved badly, and nothing that is not signed', async () => {
  await using t = await startTestRelay({ config: { lenientSyncValidation: true } })
  const host = await t.host()
  const alice = t.network.account(host)
  host.send(
    alice.commit(),
    alice.commit({ prevData: otherCid }),
    alice.commit({ prevData: undefined }),
    alice.commit(),
  )
  await t.caughtUp(host)
  assert.equal((await t.sent(4)).length, 4)
  assert.equal(await t.metric(`noted_events_total{host="${host.hostname}",finding="lenient"}`), 2)
  assert.equal(await t.metric(`noted_events_total{host="${host.hostname}",finding="chain-continuity"}`), 0)
  host.send(forge(alice))
  await t.caughtUp(host)
  assert.deepEqual(await t.drops(), { signature: 1 })
})
