// Readers of a repository stream, in a process that can be given a core of its own. Prints one JSON object.
//
//   node pds-stream-load.ts lag --url URL --session-file FILE --subscribers N --rate N --seconds N
//   node pds-stream-load.ts replay --url URL --seconds N
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { decodeFrame } from '@imago/xrpc/frames'
import type { Session } from './pds-client.ts'
import { openStreamSocket } from './stream-socket.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: 'string' },
    'session-file': { type: 'string' },
    subscribers: { type: 'string', default: '100' },
    rate: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '5' },
  },
})
const base = new URL(values.url!)
const seconds = Number(values.seconds)
const streamUrl = (cursor?: number) =>
  new URL(`/xrpc/com.atproto.sync.subscribeRepos${cursor === undefined ? '' : `?cursor=${cursor}`}`, base)

/** How long after the answer to a write its event is at the last of many readers. */
async function lag() {
  const { accounts } = JSON.parse(readFileSync(values['session-file']!, 'utf8')) as { accounts: Session[] }
  const count = Number(values.subscribers)
  const received = new Array<number>(count).fill(0)
  const seenAt = new Map<string, number>()
  const sockets = []
  for (let i = 0; i < count; i++)
    sockets.push(
      await openStreamSocket(streamUrl(), (payload) => {
        received[i]!++
        // The server writes to its readers one after the other: this one comes last.
        if (i !== count - 1) return
        const at = performance.now()
        const frame = decodeFrame(payload)
        if (frame.kind === 'message' && frame.type === '#commit')
          seenAt.set(`${frame.body['repo']} ${frame.body['rev']}`, at)
      }),
    )

  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const answeredAt = new Map<string, number>()
  const total = Number(values.rate) * seconds
  const startedAt = performance.now()
  const writes: Promise<void>[] = []
  for (let n = 0; n < total; ) {
    const due = Math.min(
      total,
      Math.floor(((performance.now() - startedAt) / 1000) * Number(values.rate)) + 1,
    )
    for (; n < due; n++) writes.push(write(agent, accounts[n % accounts.length]!, n, answeredAt))
    await sleep(1)
  }
  await Promise.all(writes)
  const tookSeconds = (performance.now() - startedAt) / 1000
  await sleep(500)
  for (const { socket } of sockets) socket.destroy()
  agent.destroy()
  const short = received.findIndex((one) => one !== total)
  if (short !== -1)
    throw new Error(`${total} writes, and reader ${short} of ${count} was told of ${received[short]}`)
  const lags = [...answeredAt]
    .map(([write, at]) => Math.max(0, seenAt.get(write)! - at))
    .sort((a, b) => a - b)
  return {
    writesPerSec: total / tookSeconds,
    p50: lags[Math.floor(lags.length * 0.5)],
    p99: lags[Math.floor(lags.length * 0.99)],
    max: lags.at(-1),
  }
}

function write(agent: Agent, session: Session, n: number, answeredAt: Map<string, number>): Promise<void> {
  const collection = 'app.bsky.feed.post'
  const record = {
    $type: collection,
    text: `Event number ${n}: the quick brown fox jumps over the lazy dog.`,
    createdAt: new Date().toISOString(),
  }
  return new Promise((resolve, reject) => {
    const outgoing = request(new URL('/xrpc/com.atproto.repo.createRecord', base), {
      agent,
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${session.accessJwt}` },
    })
    outgoing.on('error', reject)
    outgoing.on('response', (response) => {
      const at = performance.now()
      let text = ''
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => {
        if (response.statusCode !== 200) return reject(new Error(`${response.statusCode} ${text}`))
        const { commit } = JSON.parse(text) as { commit: { rev: string } }
        answeredAt.set(`${session.did} ${commit.rev}`, at)
        resolve()
      })
    })
    outgoing.end(JSON.stringify({ repo: session.did, collection, record }))
  })
}

/** How fast one reader gets what it missed: frames of at most so many seconds, from the oldest on. */
async function replay() {
  let frames = 0
  let bytes = 0
  let firstAt = 0
  let lastAt = 0
  const { socket } = await openStreamSocket(streamUrl(0), (payload) => {
    lastAt = performance.now()
    if (frames === 0) firstAt = lastAt
    frames++
    bytes += payload.length
  })
  const until = performance.now() + seconds * 1000
  // The end of what there is, or of the time.
  while (performance.now() < until && (lastAt === 0 || performance.now() - lastAt < 500)) await sleep(50)
  socket.destroy()
  const took = (lastAt - firstAt) / 1000
  return { frames, framesPerSec: frames / took, MBPerSec: bytes / took / 1e6 }
}

const work = { lag, replay }[positionals[0] as 'lag' | 'replay']
console.log(JSON.stringify(await work()))
