import assert from 'node:assert/strict'
import test from 'node:test'
import { generateKeypair, type PublicKey } from '@imago/crypto'
import { type DataMap, writeCar } from '@imago/data'
import { type DidIdentity, IdentityError } from '@imago/identity'
import { createManualClock } from '@imago/sim/clock'
import type { Did } from '@imago/syntax'
import { encodeErrorFrame, encodeFrame } from '@imago/xrpc/frames'
import { type FirehoseEvent, followFirehose, type VerifyStreamOptions, verifyStream } from './firehose.ts'
import { Author, commitBody, create, did, nowMs, sample } from './sample-events.fixture.ts'
import type { KnownAccount } from './verify-commit.ts'

const time = '2026-01-01T00:00:00Z'

/** A directory that a test changes, and that counts. */
function world(key: PublicKey, pds = 'https://pds.test') {
  const state = {
    key: key as PublicKey | undefined,
    pds,
    asked: 0,
    refreshed: 0,
    invalidated: [] as string[],
  }
  const known = new Map<Did, KnownAccount>()
  let cached: DidIdentity | undefined
  const clock = createManualClock(nowMs)
  const options: VerifyStreamOptions = {
    directory: {
      async resolveDid(of, { refresh = false } = {}) {
        if (refresh) state.refreshed++
        if (cached === undefined || refresh) {
          state.asked++
          if (state.key === undefined) throw new IdentityError('Unavailable', 'the directory is down')
          cached = { did: of, document: { id: of }, data: { did: of }, signingKey: state.key, pds: state.pds }
        }
        return cached
      },
      invalidate(of) {
        state.invalidated.push(of)
        cached = undefined
      },
    },
    account: (of) => known.get(of),
    now: clock.now,
  }
  return { state, known, clock, options }
}

async function* streamOf(frames: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* frames
}

/** What comes out when each accepted commit is taken for known at once. */
async function follow(
  frames: readonly Uint8Array[],
  { options, known }: Pick<ReturnType<typeof world>, 'options' | 'known'>,
  changes: Partial<VerifyStreamOptions> = {},
): Promise<FirehoseEvent[]> {
  const events: FirehoseEvent[] = []
  for await (const event of verifyStream(streamOf(frames), { ...options, ...changes })) {
    events.push(event)
    if ((event.type === 'commit' || event.type === 'sync') && event.verdict.accepted)
      known.set(did, { status: 'active', head: event.verdict.state })
  }
  return events
}

const short = (events: readonly FirehoseEvent[]) =>
  events.map((event) => {
    if (event.type !== 'commit' && event.type !== 'sync') return event.type
    const { verdict } = event
    return `${event.type} ${verdict.accepted ? verdict.outcome : `${verdict.outcome} ${verdict.check}`}`
  })

const commits = (author: Author, count: number) =>
  Array.from({ length: count }, (_, n) =>
    encodeFrame('#commit', commitBody(author.write(create(`k${n}`, n)), { seq: n + 1 })),
  )

test('commits are judged in order, each against what was known when the one before was taken', async () => {
  const author = new Author()
  const it = world(author.keypair.publicKey)
  const events = await follow(commits(author, 100), it)
  assert.deepEqual(
    short(events),
    Array.from({ length: 100 }, () => 'commit accepted'),
  )
  assert.deepEqual(it.known.get(did)?.head, author.head)
  assert.equal(it.state.asked, 1)
})

test('a gap is told, and what comes again is passed over', async () => {
  const author = new Author()
  const frames = commits(author, 6)
  const it = world(author.keypair.publicKey)
  const events = await follow([...frames.slice(0, 2), frames[1]!, ...frames.slice(4)], it)
  assert.deepEqual(short(events), [
    'commit accepted',
    'commit accepted',
    'ignored',
    'commit discontinuous',
    'commit accepted',
  ])
})

test('a new key is looked up once when the old one fails, and not again for every forgery', async () => {
  const author = new Author()
  const frames = commits(author, 2)
  const it = world(generateKeypair('k256').publicKey)
  const rotated = follow(frames, it)
  it.state.key = author.keypair.publicKey
  assert.deepEqual(short(await rotated), ['commit accepted', 'commit accepted'])
  assert.ok(it.state.refreshed <= 1)

  const forger = new Author()
  const forged = Array.from({ length: 20 }, (_, n) => {
    const body = commitBody(forger.write(create(`f${n}`, n)), { seq: n + 1 })
    return encodeFrame('#commit', body)
  })
  const other = world(author.keypair.publicKey)
  const events = await follow(forged, other)
  assert.deepEqual(new Set(short(events)), new Set(['commit refused 9']))
  assert.equal(other.state.refreshed, 1)
  other.clock.advance(60_000)
  await follow(forged.slice(0, 1), other)
  assert.equal(other.state.refreshed, 2)
})

test('what was read ahead under the old key, or from the old host, is judged by what was looked up since', async () => {
  const author = new Author()
  const frames = commits(author, 5)
  const account = encodeFrame('#account', { seq: 9, did, time, active: true })
  for (const change of ['key', 'pds'] as const) {
    const it = world(change === 'key' ? generateKeypair('k256').publicKey : author.keypair.publicKey)
    if (change === 'pds') it.state.pds = 'https://old.test'
    const options: VerifyStreamOptions = {
      ...it.options,
      host: 'pds.test',
      account: (of) => {
        // All identities were resolved ahead by now.
        it.state.key = author.keypair.publicKey
        it.state.pds = 'https://pds.test'
        return it.options.account(of)
      },
    }
    assert.deepEqual(short(await follow([...frames, account], { ...it, options })), [
      ...frames.map(() => 'commit accepted'),
      'account',
    ])
    assert.equal(it.state.refreshed, 1)
  }
})

test('a directory that fails in a way of its own ends the stream when the turn comes, and nothing before', async () => {
  const author = new Author()
  const it = world(author.keypair.publicKey)
  const { directory } = it.options
  let asked = 0
  const options: VerifyStreamOptions = {
    ...it.options,
    directory: {
      ...directory,
      resolveDid: (of) =>
        ++asked < 3 ? directory.resolveDid(of) : Promise.reject(new TypeError('a bug in the directory')),
    },
  }
  const seen: string[] = []
  await assert.rejects(async () => {
    for await (const event of verifyStream(streamOf(commits(author, 4)), options)) {
      seen.push(...short([event]))
      if (event.type === 'commit' && event.verdict.accepted)
        it.known.set(did, { status: 'active', head: event.verdict.state })
      // Longer than it takes to notice that nobody handles a rejection.
      await new Promise((resolve) => setImmediate(resolve))
    }
  }, /a bug in the directory/)
  assert.deepEqual(seen, ['commit accepted', 'commit accepted'])
})

test('an account that moved is looked up again; one that did not is not spoken for by others', async () => {
  const author = new Author()
  const frames = commits(author, 3)
  const it = world(author.keypair.publicKey, 'https://other.test')
  const account = encodeFrame('#account', { seq: 9, did, time, active: false, status: 'deleted' })
  assert.deepEqual(short(await follow([...frames, account], it, { host: 'pds.test' })), [
    'commit refused 2',
    'commit refused 2',
    'commit refused 2',
    'ignored',
  ])
  const moved = world(author.keypair.publicKey, 'https://pds.test')
  for (const host of ['pds.test', 'PDS.test'])
    assert.deepEqual(short(await follow([...frames.slice(0, 1), account], moved, { host })), [
      host === 'pds.test' ? 'commit accepted' : 'commit stale 6',
      'account',
    ])
})

test('an identity that cannot be resolved refuses its commits by name, and the stream goes on', async () => {
  const author = new Author()
  const it = world(author.keypair.publicKey)
  it.state.key = undefined
  const identity = encodeFrame('#identity', { seq: 5, did, time, handle: 'alice.test' })
  assert.deepEqual(short(await follow([...commits(author, 2), identity], it)), [
    'commit refused 10',
    'commit refused 10',
    'identity',
  ])
  assert.deepEqual(it.state.invalidated, [did])
})

test('messages of all kinds come out as what they are', async () => {
  const { author, result } = sample()
  const it = world(author.keypair.publicKey)
  const odd: DataMap = { seq: 3, did: 'alice.test', time }
  const frames = [
    encodeFrame('#info', { name: 'OutdatedCursor' }),
    encodeFrame('#sync', {
      seq: 1,
      did,
      time,
      rev: result.signed.commit.rev,
      blocks: writeCar([result.signed.cid], [result.signed]),
    }),
    encodeFrame('#account', { seq: 2, did, time, active: true }),
    encodeFrame('#identity', odd),
    encodeFrame('#fieldOfNextYear', { seq: 4 }),
    encodeErrorFrame('ConsumerTooSlow', 'behind'),
  ]
  assert.deepEqual(short(await follow(frames, it)), [
    'info',
    'sync moved',
    'account',
    'ignored',
    'ignored',
    'ignored',
  ])
})

test('bytes that are no frame end the stream, after what came before them', async () => {
  const author = new Author()
  const it = world(author.keypair.publicKey)
  const seen: FirehoseEvent[] = []
  await assert.rejects(
    async () => {
      for await (const event of verifyStream(
        streamOf([...commits(author, 2), new Uint8Array([0xff])]),
        it.options,
      ))
        seen.push(event)
    },
    { name: 'FrameError' },
  )
  assert.equal(seen.length, 2)
})

test('whoever stops listening closes the source', async () => {
  const author = new Author()
  const it = world(author.keypair.publicKey)
  let closed = false
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (const frame of commits(author, 200)) yield frame
    } finally {
      closed = true
    }
  }
  for await (const event of verifyStream(endless(), { ...it.options, lookAhead: 4 })) {
    assert.equal(event.type, 'commit')
    break
  }
  assert.ok(closed)
})

test('stopping does not wait for a frame that never comes', async () => {
  const author = new Author()
  const it = world(author.keypair.publicKey)
  async function* idle(): AsyncGenerator<Uint8Array> {
    yield* commits(author, 1)
    await new Promise(() => {})
  }
  let seen = 0
  for await (const _ of verifyStream(idle(), it.options)) {
    seen++
    break
  }
  assert.equal(seen, 1)
})

test('a host is followed over a socket, from the cursor, and hung up on when the loop ends', async () => {
  const author = new Author()
  const it = world(author.keypair.publicKey)
  const sockets: FakeSocket[] = []
  const events = followFirehose('https://relay.test', {
    ...it.options,
    stream: {
      cursor: () => 41,
      open: (url) => {
        const socket = new FakeSocket(url)
        sockets.push(socket)
        return socket as unknown as WebSocket
      },
    },
  })
  const first = events.next()
  await new Promise((resolve) => setImmediate(resolve))
  const [socket] = sockets
  assert.equal(String(socket?.url), 'wss://relay.test/xrpc/com.atproto.sync.subscribeRepos?cursor=41')
  socket!.dispatchEvent(new Event('open'))
  socket!.receive(commits(author, 1)[0]!)
  assert.equal((await first).value?.type, 'commit')
  await events.return()
  assert.equal(socket!.closed, true)
})

/** The part of a WebSocket that a client sees. */
class FakeSocket extends EventTarget {
  binaryType = 'blob'
  readyState = 0
  protocol = ''
  closed = false
  readonly url: URL
  constructor(url: URL) {
    super()
    this.url = url
  }
  receive(frame: Uint8Array): void {
    this.dispatchEvent(new MessageEvent('message', { data: frame.slice().buffer }))
  }
  close(): void {
    this.closed = true
    this.dispatchEvent(new CloseEvent('close', { code: 1000 }))
  }
}
