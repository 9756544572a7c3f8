import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import type { FakeAccount, FakeHost } from '@imago/sim/fake-host'
import type { StateStore } from './state/state-store.ts'
import { readStream, type Sent, startTestRelay, type TestRelay, until } from './test-relay.fixture.ts'

/** The process dies when the log has the events and the state is about to: here, at the given batch. */
function dyingAt(batch: number) {
  const crash = { fired: 0 }
  let batches = 0
  const wrapState = (state: StateStore): StateStore => ({
    ...state,
    get covered() {
      return state.covered
    },
    commit(changes) {
      // What the log brings back at the start is not what this is about.
      if (++batches === batch) {
        crash.fired++
        throw new Error('killed between log and state')
      }
      state.commit(changes)
    },
  })
  return { crash, wrapState }
}

const describe = ({ type, frame: { body } }: Sent) =>
  [type, body['did'] ?? body['repo'], body['rev'] ?? body['status'] ?? body['active'] ?? ''].join(' ')

/** Some of everything, told in steps, each of which makes a batch at least. */
function steps(host: FakeHost, alice: FakeAccount, bob: FakeAccount, stranger: FakeAccount): (() => void)[] {
  return [
    () => host.send(alice.identity(), alice.status(true), alice.commit(), bob.commit()),
    () => host.send(stranger.identity(), alice.commit(), bob.identity(), bob.commit({ prevData: undefined })),
    () => host.send(bob.status(false, 'deactivated'), alice.identity(), alice.commit(), alice.sync()),
    () => host.send(bob.status(true), bob.sync(), bob.commit(), alice.status(true, 'throttled')),
  ]
}

async function play(t: TestRelay, hostname: string): Promise<{ host: FakeHost; run: () => Promise<void> }> {
  const host = await t.host(hostname)
  const [alice, bob, stranger] = [t.network.account(host), t.network.account(host), t.network.account(host)]
  t.network.directory.unknown.add(stranger.did)
  return {
    host,
    async run() {
      for (const step of steps(host, alice, bob, stranger)) {
        step()
        await until(async () => t.failures.length > 0 || (await isCaughtUp(t, host)))
      }
    },
  }
}

async function isCaughtUp(t: TestRelay, { hostname, seq }: FakeHost): Promise<boolean> {
  const { body } = await t.call('com.atproto.sync.getHostStatus', { hostname })
  return (body as { seq?: number }).seq === seq
}

async function outcome(t: TestRelay): Promise<{ events: string[]; repos: unknown; hosts: unknown }> {
  return {
    // The order between accounts is not promised; the order of each account's events is.
    events: (await t.sent(t.relay.head)).map(describe).sort(byAccount),
    repos: (await t.call('com.atproto.sync.listRepos')).body,
    hosts: (await t.call('com.atproto.sync.listHosts')).body,
  }
}
const byAccount = (a: string, b: string) => a.split(' ')[1]!.localeCompare(b.split(' ')[1]!)

test('killed between log and state, the relay neither loses an event nor tells one twice', async () => {
  const expected = await (async () => {
    await using t = await startTestRelay()
    await (await play(t, 'pds.example.com')).run()
    return await outcome(t)
  })()
  // Sixteen, less one of a stranger, one without prevData, and one #sync that says nothing new.
  assert.equal(expected.events.length, 13)

  let killed = 0
  for (let batch = 1; ; batch++) {
    const { crash, wrapState } = dyingAt(batch)
    await using t = await startTestRelay({ options: { wrapState } })
    const { host, run } = await play(t, 'pds.example.com')
    await run()
    if (crash.fired === 0) break
    killed++
    const before = await t.sent(t.relay.head)
    assert.equal((await t.relay.fetch(new Request('http://relay.test/_health'))).status, 503)
    assert.equal(t.failures.length, 1)
    t.failures.length = 0

    await t.restart({ wrapState: (state) => state })
    await t.caughtUp(host)
    assert.ok(host.cursors.at(-1)! < host.seq, 'the host sent events again')
    assert.deepEqual(await outcome(t), expected, `killed at batch ${batch}`)
    assert.deepEqual(
      (await t.sent(t.relay.head)).slice(0, before.length),
      before,
      'what was sent stays as it was',
    )
  }
  assert.ok(killed >= 4, `${killed} kills`)
})

test('what was under way when the process ended is done after it, and what had overtaken it is not done again', async () => {
  await using t = await startTestRelay()
  const host = await t.host()
  const [slow, quick] = [t.network.account(host), t.network.account(host)]
  t.network.directory.delay = (did) => (did === slow.did ? new Promise(() => {}) : undefined)
  host.send(
    quick.identity(),
    slow.identity(),
    slow.commit(),
    quick.identity(),
    quick.commit(),
    quick.status(true),
  )
  const told = (await t.sent(4)).map(describe)
  assert.deepEqual(
    told.map((event) => event.split(' ')[0]),
    ['#identity', '#identity', '#commit', '#account'],
  )
  const { body } = await t.call('com.atproto.sync.getHostStatus', { hostname: host.hostname })
  assert.equal((body as { seq: number }).seq, 1, 'the mark stays below what is not finished')

  t.network.directory.delay = undefined
  await t.restart()
  assert.equal((await t.sent(4)).length, 4)
  await t.caughtUp(host)
  const all = (await t.sent(6)).map(describe)
  assert.deepEqual(all.slice(0, 4), told)
  assert.deepEqual(
    all.slice(4).map((event) => event.split(' ').slice(0, 2).join(' ')),
    [`#identity ${slow.did}`, `#commit ${slow.did}`],
  )
  assert.equal(t.relay.head, 6)
  assert.deepEqual(host.cursors, [0, 1])
})

test('events of one account keep their order while those of others overtake them', async () => {
  await using t = await startTestRelay()
  const host = await t.host()
  const accounts = Array.from({ length: 8 }, () => t.network.account(host))
  const waits = new Map(accounts.map(({ did }, i) => [did, (7 - i) * 2]))
  t.network.directory.delay = async (did) => {
    for (let turns = waits.get(did)!; turns > 0; turns--)
      await new Promise((resolve) => setImmediate(resolve))
  }
  for (let round = 0; round < 5; round++) host.send(...accounts.map((account) => account.commit()))
  await t.caughtUp(host)
  const sent = await t.sent(40)
  const order = sent.map(({ frame }) => frame.body['repo'])
  assert.notDeepEqual(
    order.slice(0, 8),
    accounts.map(({ did }) => did),
    'some were overtaken',
  )
  for (const { did } of accounts) {
    const revs = sent
      .filter(({ frame }) => frame.body['repo'] === did)
      .map(({ frame }) => String(frame.body['rev']))
    assert.equal(revs.length, 5)
    assert.deepEqual(revs, [...revs].sort())
  }
  assert.equal(await t.metric(`noted_events_total{host="${host.hostname}",finding="chain-continuity"}`), 0)
})

test('a database that is gone is made again from the log', async () => {
  await using t = await startTestRelay()
  const { host, run } = await play(t, 'pds.example.com')
  await run()
  const before = await outcome(t)
  await t.close()
  for (const end of ['', '-wal', '-shm']) rmSync(join(t.folder, `relay.sqlite${end}`), { force: true })
  await t.restart()
  await t.caughtUp(host)
  const after = await outcome(t)
  assert.deepEqual(after.events, before.events)
  assert.deepEqual(after.hosts, before.hosts)
  const byDid = ({ repos }: { repos: { did: string }[] }) =>
    repos.toSorted((a, b) => a.did.localeCompare(b.did))
  assert.deepEqual(byDid(after.repos as never), byDid(before.repos as never))
})

test('numbers do not come back when the log is gone', async () => {
  await using t = await startTestRelay()
  const host = await t.host()
  const alice = t.network.account(host)
  host.send(alice.commit(), alice.commit())
  await t.caughtUp(host)
  await t.close()
  rmSync(join(t.folder, 'events'), { recursive: true })
  await t.restart()
  host.send(alice.commit())
  await t.caughtUp(host)
  const [sent] = await readStream(t.relay, 0, 1)
  assert.equal(sent!.seq, 3)
})
