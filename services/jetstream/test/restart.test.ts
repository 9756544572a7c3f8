import assert from 'node:assert/strict'
import { cpSync, globSync, mkdirSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { serve } from '@imago/service'
import { createManualClock } from '@imago/sim/clock'
import { createRandom } from '@imago/sim/random'
import type { Did } from '@imago/syntax'
import { subscribe } from '@imago/xrpc/subscribe'
import type { JetstreamOptions } from '../src/index.ts'
import { createFakeRelay, TIME, type Write } from './fake-relay.ts'
import { type Seen, subscriber } from './subscriber.ts'
import { startJetstream, temporaryFolder } from './test-jetstream.ts'

const ALICE: Did = 'did:plc:alice'

function pathOf(event: Seen): string {
  const { did, kind, commit } = event
  if (!commit) return `${did} ${kind} ${event[kind].seq}`
  return `${did} ${commit.rev} ${commit.operation} ${commit.collection}/${commit.rkey}`
}

/** Everything that a Jetstream on this folder has to tell, read by a subscriber from the beginning. */
async function everything(url: string, count: number): Promise<readonly Seen[]> {
  await using client = await subscriber(url, '?cursor=0')
  return await client.count(count)
}

/** What a kill leaves of a log: its files as they are, cut wherever the last writes had come to. */
function killedCopy(from: string, to: string, cutBytes: number): void {
  mkdirSync(join(to, 'events'), { recursive: true })
  for (const name of globSync('*.log', { cwd: join(from, 'events') }))
    cpSync(join(from, 'events', name), join(to, 'events', name))
  const newest = globSync(join(to, 'events', '*.log'))
    .sort()
    .at(-1)!
  const { size } = statSync(newest)
  truncateSync(newest, Math.max(Math.min(size, 1024), size - cutBytes))
}

for (const inclusive of [false, true])
  test(`killed at any byte, it loses nothing and tells nothing twice (relay ${inclusive ? 'repeats' : 'skips'} the event at the cursor)`, async () => {
    const random = createRandom(inclusive ? 11 : 12)
    const relay = createFakeRelay({ inclusive })
    const expected: string[] = []
    const dids: readonly Did[] = [ALICE, 'did:plc:bob', 'did:web:carol.test']
    let written = 0

    function happen(): void {
      const did = random.pick(dids)
      if (random.chance(0.2)) expected.push(`${did} identity ${relay.send('#identity', { did, time: TIME })}`)
      else if (random.chance(0.1))
        relay.send('#sync', { did, time: TIME, rev: '3lhpuvsm222222', blocks: new Uint8Array(1) })
      else {
        const writes: Write[] = Array.from({ length: 1 + random.int(4) }, () => [
          `com.example.note/n${written++}`,
          { text: 'x'.repeat(random.int(120)) },
        ])
        const { rev } = relay.commit(did, writes)
        expected.push(...writes.map(([path]) => `${did} ${rev} create ${path}`))
      }
    }

    using root = temporaryFolder()
    let folder = join(root.path, '0')
    let lostToKills = 0
    for (let round = 1; round <= 5; round++) {
      const before = relay.taken
      const service = await startJetstream({ dataDirectory: folder, openStream: relay.openStream })
      for (let i = 0; i < 20; i++) {
        happen()
        if (random.chance(0.1)) relay.disconnect()
        if (random.chance(0.3)) await sleep(1)
      }
      while (relay.taken - before < 10) await sleep(1)
      const next = join(root.path, String(round))
      killedCopy(folder, next, random.int(3000))
      const reached = JSON.parse(await (await fetch(`${service.url}/_health`)).text()).relaySeq
      await service[Symbol.asyncDispose]()
      folder = next

      const connections = relay.cursors.length
      await using revived = await startJetstream({ dataDirectory: folder, openStream: relay.openStream })
      while (relay.cursors.length === connections) await sleep(1)
      const resumed = relay.cursors[connections]!
      assert.ok(resumed <= reached)
      if (resumed < reached) lostToKills++
      assert.deepEqual((await everything(revived.url, expected.length)).map(pathOf), expected)
    }
    assert.ok(lostToKills >= 1, 'a kill took something away that had to be fetched again')
  })

test('times rise across restarts, also when the clock went back', async () => {
  using folder = temporaryFolder()
  const relay = createFakeRelay()
  const clock = createManualClock()
  const options = { dataDirectory: folder.path, openStream: relay.openStream, now: clock.now }
  relay.commit(ALICE, [['com.example.note/1', {}]])
  let first: readonly Seen[]
  {
    await using service = await startJetstream(options)
    first = await everything(service.url, 1)
    assert.equal(first[0]!.time_us, clock.now() * 1000)
  }
  clock.advance(-3_600_000)
  relay.commit(ALICE, [['com.example.note/2', {}]])
  await using service = await startJetstream(options)
  const events = await everything(service.url, 2)
  assert.deepEqual(events[0], first[0])
  assert.equal(events[1]!.time_us, first[0]!.time_us + 1)
})

test('a subscriber goes on with its last time_us after a restart', async () => {
  using folder = temporaryFolder()
  const relay = createFakeRelay()
  const options = { dataDirectory: folder.path, openStream: relay.openStream }
  for (let i = 0; i < 10; i++) relay.commit(ALICE, [[`com.example.note/${i}`, { i }]])
  let half: Seen
  {
    await using service = await startJetstream(options)
    half = (await everything(service.url, 10))[4]!
  }
  relay.commit(ALICE, [['com.example.note/10', { i: 10 }]])
  await using service = await startJetstream(options)
  await using client = await subscriber(service.url, `?cursor=${half.time_us}`)
  const events = await client.count(6)
  assert.deepEqual(
    events.map(({ commit }) => commit.record.i),
    [5, 6, 7, 8, 9, 10],
  )
})

test('retention lets old events go, and keeps the cursor', async () => {
  using folder = temporaryFolder()
  const relay = createFakeRelay()
  const clock = createManualClock()
  const options = {
    dataDirectory: folder.path,
    openStream: relay.openStream,
    now: clock.now,
    retentionMs: 60_000,
  }
  relay.commit(ALICE, [['com.example.note/1', {}]])
  relay.commit(ALICE, [['com.example.note/2', {}]])
  {
    await using service = await startJetstream(options)
    await everything(service.url, 2)
    // The log lets go of whole segments: the first run ends the one that is old, the second finds all of it old.
    for (let run = 0; run < 2; run++) {
      clock.advance(61_000)
      await service.jetstream.maintain()
    }
  }
  await using service = await startJetstream(options)
  relay.commit(ALICE, [['com.example.note/3', {}]])
  const events = await everything(service.url, 1)
  assert.deepEqual(
    events.map(({ commit }) => commit.rkey),
    ['3'],
  )
  assert.deepEqual(relay.cursors, [0, 2])
  // A cursor from before what is kept begins with the oldest.
  await using client = await subscriber(service.url, `?cursor=${(clock.now() - 122_000) * 1000}`)
  assert.equal((await client.count(1))[0]!['commit'].rkey, '3')
})

test('a relay that lost its past is followed from its new beginning', async () => {
  using folder = temporaryFolder()
  const relay = createFakeRelay()
  await using relayServer = await serve({
    fetch: () => new Response('relay'),
    upgrade: relay.upgrade,
    hostname: '127.0.0.1',
    port: 0,
  })
  const options: Partial<JetstreamOptions> & { dataDirectory: string } = {
    dataDirectory: folder.path,
    relayUrl: relayServer.url,
    openStream: (url, stream) => subscribe(url, { ...stream, minDelayMs: 1 }),
  }
  {
    await using service = await startJetstream(options)
    for (let i = 0; i < 3; i++) relay.commit(ALICE, [[`com.example.note/${i}`, {}]])
    await everything(service.url, 3)
    relay.reset()
    relay.commit(ALICE, [['com.example.note/new', {}]])
    assert.equal((await everything(service.url, 4))[3]!['commit'].rkey, 'new')
  }
  relay.commit(ALICE, [['com.example.note/newer', {}]])
  await using service = await startJetstream(options)
  assert.equal((await everything(service.url, 5))[4]!['commit'].rkey, 'newer')
  assert.equal(relay.cursors.at(-1), 1)
})
