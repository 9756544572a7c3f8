// kill -9 of the whole network in the middle of writes. After a restart on the same data every acknowledged write is
// there, and the streams of PDS and relay go on: no number missing, none given twice.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { AtpAgent } from '@atproto/api'
import { signUp } from './accounts.ts'
import { startNetwork } from './network.ts'
import { collectStream, type StreamEvent } from './stream.ts'
import { until } from './until.ts'

const WRITERS = 8
const WRITES_BEFORE_KILL = 150

interface Acknowledged {
  readonly did: string
  readonly rkey: string
  readonly cid: string
  readonly rev: string
}

/** Writes until the server is gone, keeping what it acknowledged. */
async function write(agent: AtpAgent, did: string, acknowledged: Acknowledged[]): Promise<void> {
  for (let n = 0; ; n++)
    try {
      const { data } = await agent.com.atproto.repo.createRecord({
        repo: did,
        collection: 'com.example.note',
        record: { $type: 'com.example.note', n },
      })
      acknowledged.push({ did, rkey: data.uri.split('/').at(-1)!, cid: data.cid, rev: data.commit!.rev })
    } catch {
      return
    }
}

function assertGapless(events: readonly StreamEvent[], where: string): void {
  for (let i = 1; i < events.length; i++)
    assert.equal(events[i]!.seq, events[i - 1]!.seq + 1, `${where}: after ${events[i - 1]!.seq}`)
}

test('an acknowledged write survives kill -9, and the streams continue', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'imago-crash-'))
  try {
    const acknowledged: Acknowledged[] = []
    await using network = await startNetwork({ folder })
    const accounts = await Promise.all(Array.from({ length: WRITERS }, () => signUp(network.pds, 'crash')))
    const seen = { pds: collectStream(network.pds, 0), relay: collectStream(network.relay, 0) }
    const writing = accounts.map(({ agent, did }) => write(agent, did, acknowledged))
    await until(`${WRITES_BEFORE_KILL} writes`, () => acknowledged.length >= WRITES_BEFORE_KILL || undefined)

    await network.kill('SIGKILL')
    assert.equal(network.process.signalCode, 'SIGKILL', 'the kill happened')
    await Promise.all(writing)
    seen.pds.close()
    seen.relay.close()

    await using restarted = await startNetwork({ folder })
    const reader = new AtpAgent({ service: restarted.pds })
    for (const { did, rkey, cid } of acknowledged) {
      const { data } = await reader.com.atproto.repo.getRecord({
        repo: did,
        collection: 'com.example.note',
        rkey,
      })
      assert.equal(data.cid, cid)
    }

    const last = await signUp(restarted.pds, 'after')
    const { data: lastWrite } = await last.agent.com.atproto.repo.createRecord({
      repo: last.did,
      collection: 'com.example.note',
      record: { $type: 'com.example.note', last: true },
    })
    for (const name of ['pds', 'relay'] as const) {
      const replay = collectStream(restarted[name], 0)
      await until(`the last write on the ${name}'s stream`, () =>
        replay.events.find((event) => event.did === last.did && event.rev === lastWrite.commit!.rev),
      )
      replay.close()
      assertGapless(replay.events, name)
      const bySeq = new Map(replay.events.map((event) => [event.seq, event]))
      for (const event of seen[name].events)
        assert.deepEqual(bySeq.get(event.seq), event, `${name}: ${event.seq} is what it was before the crash`)
      const replayed = new Set(
        replay.events.flatMap(({ did, rev, paths }) => paths.map((path) => `${did}/${path}@${rev}`)),
      )
      for (const { did, rkey, rev } of acknowledged)
        assert.ok(replayed.has(`${did}/com.example.note/${rkey}@${rev}`), `${name} announces ${did} ${rkey}`)
      assert.equal(
        replayed.size,
        replay.events.reduce((sum, { paths }) => sum + paths.length, 0),
        `${name}: none twice`,
      )
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
