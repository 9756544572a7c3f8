import assert from 'node:assert/strict'
import test from 'node:test'
import type { EventLog } from '@imago/log'
import { openMemoryLog } from '@imago/log/memory'
import { encodeFrame } from '@imago/xrpc/frames'
import { followRelay, type OpenStream } from './follow-relay.ts'

const TIME = '2026-01-01T00:00:00.000Z'
const identity = (seq: number) => encodeFrame('#identity', { seq, did: 'did:plc:alice', time: TIME })

/** Sends some frames, then waits to be told to stop. */
const sends = (...frames: readonly Uint8Array[]): OpenStream =>
  async function* (_url, { signal }) {
    yield* frames
    await new Promise<void>((resolve) => signal!.addEventListener('abort', () => resolve()))
  }

function follow(log: EventLog, openStream: OpenStream, beginAt: 'oldest' | 'live' = 'oldest') {
  const seen = { warnings: [] as string[], drops: [] as string[], taken: 0 }
  const ingest = followRelay({
    log,
    openStream,
    beginAt,
    relayUrl: 'https://relay.test',
    idleTimeoutMs: undefined,
    now: () => 0,
    logger: { info() {}, error() {}, warn: (_fields, message) => seen.warnings.push(message) },
    meters: {
      taken: (events) => {
        seen.taken += events
      },
      dropped: (reason) => seen.drops.push(reason),
    },
  })
  return { ingest, seen }
}

const openLog = () => openMemoryLog({ now: () => 0 })
const turns = async () => {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve))
}

test('the stream is asked for at the relay, from its beginning or from its live end', async () => {
  for (const [beginAt, cursor] of [
    ['oldest', 0],
    ['live', undefined],
  ] as const) {
    await using log = openLog()
    const asked: unknown[] = []
    const openStream: OpenStream = async function* (url, options) {
      asked.push(String(url), await options.cursor!())
      yield* []
    }
    const { ingest } = follow(log, openStream, beginAt)
    await (await ingest).done
    assert.deepEqual(asked, ['https://relay.test/xrpc/com.atproto.sync.subscribeRepos', cursor])
  }
})

test('frames that are bad are counted, told of once, and passed over', async () => {
  await using log = openLog()
  const bad = encodeFrame('#identity', { seq: 2, did: 'nobody', time: TIME })
  const { ingest, seen } = follow(log, sends(new Uint8Array([1]), identity(1), bad, identity(3)))
  await using running = await ingest
  await turns()
  assert.equal(running.upstreamSeq, 3)
  assert.equal(seen.taken, 2)
  assert.deepEqual(seen.drops, ['bad-frame', 'bad-event'])
  assert.equal(seen.warnings.length, 1)
})

test('an event that came before is passed over', async () => {
  await using log = openLog()
  const { ingest, seen } = follow(log, sends(identity(5), identity(5), identity(4), identity(6)))
  await using _running = await ingest
  await turns()
  assert.equal(seen.taken, 2)
  assert.deepEqual(
    (await log.read(0)).map(({ key }) => key),
    ['#identity did:plc:alice 5', '#identity did:plc:alice 6'],
  )
})

test('a log that refuses ends it at once: nothing follows an event that was lost', async () => {
  await using log = openLog()
  let refused = 0
  const full: EventLog = Object.create(log, {
    append: {
      value: async () => {
        refused++
        throw new Error('no space left')
      },
    },
  })
  for (const frames of [[identity(1)], [identity(1), identity(2)]]) {
    refused = 0
    const { ingest } = follow(full, sends(...frames))
    await using running = await ingest
    await assert.rejects(running.done, /no space left/)
    assert.equal(refused, 1)
    await assert.rejects(running.keepCursor(), /no space left/)
  }
})

test('a log of another service is refused', async () => {
  await using log = openLog()
  await log.append([{ key: 'did:plc:alice', encode: () => new Uint8Array() }])
  const { ingest } = follow(log, sends())
  await assert.rejects(ingest, /JETSTREAM_DATA_DIR/)
})
