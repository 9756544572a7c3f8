import assert from 'node:assert/strict'
import test from 'node:test'
import { startTestRelay, until } from '../test-relay.fixture.ts'

async function statusOf(t: Awaited<ReturnType<typeof startTestRelay>>, hostname: string): Promise<unknown> {
  const { body } = await t.call('com.atproto.sync.getHostStatus', { hostname })
  return (body as { status: string }).status
}

test('a new host is read from its oldest event, and a lost connection from where it was', async () => {
  await using t = await startTestRelay()
  const host = t.network.host('pds.example.com')
  const alice = t.network.account(host)
  host.send(alice.commit(), alice.commit())
  assert.equal((await t.post('com.atproto.sync.requestCrawl', { hostname: host.hostname })).status, 200)
  await t.caughtUp(host)
  host.disconnect()
  host.send(alice.commit())
  await t.caughtUp(host)
  assert.deepEqual(host.cursors, [0, 2])
  assert.equal((await t.sent(3)).length, 3)
  assert.deepEqual(await t.drops(), {})
})

test('a host that begins its sequence anew is read from the start, and nothing is told twice', async () => {
  await using t = await startTestRelay()
  const host = await t.host()
  const alice = t.network.account(host)
  const events = [alice.commit(), alice.commit(), alice.commit()]
  host.send(...events)
  await t.caughtUp(host)
  host.wipe()
  host.send(events[2]!, alice.commit())
  await t.caughtUp(host)
  assert.deepEqual(host.cursors, [0, 3, 0])
  assert.equal((await t.sent(4)).length, 4)
  assert.deepEqual(await t.drops(), { 'rev-advances': 1 })
  await t.restart()
  await until(() => host.readers > 0)
  assert.equal(host.cursors.at(-1), 2, 'the new sequence outlives the process')
  assert.equal(t.relay.head, 4)
})

test('a host that is down is dialled for ever, and shown as offline meanwhile', async () => {
  await using t = await startTestRelay()
  const host = await t.host()
  const alice = t.network.account(host)
  host.down = true
  host.disconnect()
  await until(async () => (await statusOf(t, host.hostname)) === 'offline')
  const dials = host.cursors.length
  await until(() => host.cursors.length > dials + 3)
  host.down = false
  host.send(alice.commit())
  await t.caughtUp(host)
  assert.equal(await statusOf(t, host.hostname), 'active')
})

test('after a restart every host is dialled, also those that were offline, and none that is banned', async () => {
  await using t = await startTestRelay()
  const [up, down] = [await t.host('up.example.com'), await t.host('down.example.com')]
  const loop = t.network.host('loop.example.com')
  loop.answers.set(
    'com.atproto.server.describeServer',
    () => new Response('', { status: 501, headers: { server: 'atproto-relay (other)' } }),
  )
  assert.equal((await t.post('com.atproto.sync.requestCrawl', { hostname: loop.hostname })).status, 400)
  down.down = true
  down.disconnect()
  await until(async () => (await statusOf(t, down.hostname)) === 'offline')
  down.down = false
  await t.restart()
  await until(() => up.readers > 0 && down.readers > 0)
  assert.equal(loop.cursors.length, 0)
  assert.equal(await statusOf(t, loop.hostname), 'banned')
})

test('requestCrawl wakes a host that is waited for, once in a while', async () => {
  await using t = await startTestRelay({
    options: { dialSchedule: { minDelayMs: 3_600_000, maxDelayMs: 3_600_000 } },
  })
  const host = await t.host()
  const ask = () => t.post('com.atproto.sync.requestCrawl', { hostname: host.hostname })
  host.disconnect()
  await until(() => host.readers === 0)
  // The loop has to come to its pause before it can be woken.
  await until(async () => {
    t.clock.advance(60_000)
    assert.equal((await ask()).status, 200)
    return host.readers > 0
  })
  const dials = host.cursors.length
  host.disconnect()
  for (let i = 0; i < 20; i++) {
    await ask()
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.equal(host.cursors.length, dials, 'not again within the minute')
})

test('a host that sends more than can be worked on has to wait, and loses nothing', async () => {
  await using t = await startTestRelay()
  const host = await t.host()
  const [slow, quick] = [t.network.account(host), t.network.account(host)]
  let release = () => {}
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  t.network.directory.delay = (did) => (did === slow.did ? gate : undefined)
  host.send(slow.commit())
  for (let i = 0; i < 1100; i++) host.send(quick.identity({ handle: undefined }))
  await until(() => t.relay.head === 999)
  release()
  await t.caughtUp(host)
  assert.equal(t.relay.head, 1101)
  assert.equal(host.cursors.length, 1)
})

test('a fault of our own in reading a host is told of, and does not end the reading', async () => {
  let faults = 0
  await using t = await startTestRelay({
    options: {
      openWebSocket(url) {
        if (faults++ < 3) throw new TypeError('a bug')
        return network.open(url)
      },
    },
  })
  const { network } = t
  const host = await t.host()
  assert.equal(faults, 4)
  host.send(network.account(host).commit())
  await t.caughtUp(host)
  assert.equal(await statusOf(t, host.hostname), 'active')
})

test('a host that began anew and has sent nothing since is still read from the start after a restart', async () => {
  await using t = await startTestRelay()
  const host = await t.host()
  const alice = t.network.account(host)
  host.send(alice.commit(), alice.commit(), alice.commit())
  await t.caughtUp(host)
  host.wipe()
  await until(() => host.readers > 0 && host.cursors.length === 3)
  await t.restart()
  await until(() => host.readers > 0)
  assert.deepEqual(host.cursors, [0, 3, 0, 0])
  assert.deepEqual((await t.call('com.atproto.sync.listHosts')).body, { hosts: [] })
})
