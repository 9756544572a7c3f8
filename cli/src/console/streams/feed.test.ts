import assert from 'node:assert/strict'
import test from 'node:test'
import { serve } from '@imago/service'
import { encodeErrorFrame, encodeFrame, webSocketMessage } from '@imago/xrpc/frames'
import { createFeed, type Feed } from './feed.ts'
import { frameSeq } from './live-event.ts'

/** A stream of `#test` events 1 to `last`, after the cursor, that stays open; `unreadable` bytes come before number 3. */
async function withFeed(
  last: number,
  body: (feed: Feed, unreadable: unknown[], stop: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const message = (payload: Uint8Array) => webSocketMessage(payload, 'binary')
  await using server = await serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: () => new Response(null, { status: 404 }),
    upgrade: (request) => ({
      async *messages(signal) {
        const cursor = Number(new URL(request.url).searchParams.get('cursor') ?? last)
        if (cursor > last) {
          yield [message(encodeErrorFrame('FutureCursor'))]
          return
        }
        for (let seq = cursor + 1; seq <= last; seq++) {
          if (seq === 3) yield [message(new Uint8Array([0xff]))]
          yield [message(encodeFrame('#test', { seq }))]
        }
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
      },
    }),
  })
  const unreadable: unknown[] = []
  const feed = createFeed({
    url: server.url,
    cursor: 0,
    positionOf: frameSeq,
    onUnreadable: (error) => unreadable.push(error),
  })
  const stopped = new AbortController()
  const following = feed.follow(stopped.signal)
  await body(feed, unreadable, async () => {
    stopped.abort()
    await following
  })
  stopped.abort()
  await following
}

const until = (feed: Feed, position: number) =>
  new Promise<void>((resolve) => {
    const unlisten = feed.listen((arrival) => {
      if (arrival.position !== position) return
      unlisten()
      resolve()
    })
  })

test('follows from its cursor, passes over what cannot be read, and ends when told', () =>
  withFeed(5, async (feed, unreadable, stop) => {
    await until(feed, 5)
    assert.deepEqual(
      feed.recent.map(({ position }) => position),
      [1, 2, 3, 4, 5],
    )
    assert.equal(feed.received, 5)
    assert.equal(feed.isFollowing, true)
    assert.equal(unreadable.length, 1)
    await stop()
    assert.equal(feed.isFollowing, false)
  }))

test('keeps the last five hundred, and finds older ones where they came from', () =>
  withFeed(600, async (feed) => {
    await until(feed, 600)
    assert.equal(feed.recent.length, 500)
    assert.equal(feed.recent[0]?.position, 101)
    assert.equal((await feed.find(600))?.position, 600)
    const old = await feed.find(7)
    assert.equal(frameSeq(old!.payload), 7)
  }))

test('what is not there is not found', () =>
  withFeed(2, async (feed) => {
    await until(feed, 2)
    for (const position of [0, -1, 4, 1.5, Number.NaN]) assert.equal(await feed.find(position), undefined)
  }))
