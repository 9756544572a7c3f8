import assert from 'node:assert/strict'
import test from 'node:test'
import { generateKeypair } from '@imago/crypto'
import { createGenesis } from '@imago/identity/plc'
import { serve } from '@imago/service'
import { createManualClock } from '@imago/sim/clock'
import { createPlc } from '../create-plc.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const keypair = generateKeypair('k256')

async function directory() {
  const clock = createManualClock()
  const plc = await createPlc({ databaseFile: ':memory:', now: clock.now })
  const server = await serve({ fetch: plc.fetch, upgrade: plc.upgrade, hostname: '127.0.0.1', port: 0 })
  let registered = 0
  const register = async (count: number) => {
    const statuses = await Promise.all(
      Array.from({ length: count }, async () => {
        const { did, operation } = createGenesis(
          {
            rotationKeys: [keypair.didKey],
            verificationMethods: {},
            alsoKnownAs: [`at://n${registered++}`],
            services: {},
          },
          keypair,
        )
        const { status } = await plc.fetch(
          new Request(`http://plc.test/${did}`, {
            method: 'POST',
            body: JSON.stringify(operation),
            headers: { 'content-type': 'application/json' },
          }),
        )
        return status
      }),
    )
    assert.ok(statuses.every((status) => status === 200))
  }
  return {
    clock,
    server,
    register,
    address: `ws://127.0.0.1:${server.port}/export/stream`,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await plc[Symbol.asyncDispose]()
    },
  }
}

/** A consumer that keeps what it gets; `until` resolves when it has so many. */
function consume(address: string) {
  const socket = new WebSocket(address)
  const frames: Record<string, unknown>[] = []
  let wake = () => {}
  socket.onmessage = ({ data }) => {
    frames.push(JSON.parse(data as string))
    wake()
  }
  const opened = new Promise((resolve) => (socket.onopen = resolve))
  const closed = new Promise<CloseEvent>((resolve) => (socket.onclose = resolve))
  const until = async (count: number) => {
    while (frames.length < count) await new Promise<void>((resolve) => (wake = resolve))
    return frames
  }
  return { socket, frames, opened, closed, until }
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)

test('[PLC-27] a consumer with a cursor gets what it missed and then what comes, a burst of it too', async () => {
  await using plc = await directory()
  await plc.register(20)
  const consumer = consume(`${plc.address}?cursor=5`)
  await consumer.until(15)
  await plc.register(510)
  const frames = await consumer.until(525)
  assert.deepEqual(
    frames.map(({ seq }) => seq),
    numbers(6, 530),
  )
  assert.deepEqual(Object.keys(frames[0]!), ['type', 'did', 'operation', 'cid', 'createdAt', 'seq'])
  const exported = await (await fetch(`${plc.server.url}/export?after=5&count=1`)).json()
  assert.deepEqual(frames[0], exported)
  consumer.socket.close()
  await consumer.closed
})

test('[PLC-27] a consumer without a cursor gets what comes', async () => {
  await using plc = await directory()
  await plc.register(3)
  const consumer = consume(plc.address)
  await consumer.opened
  await plc.register(2)
  assert.deepEqual(
    (await consumer.until(2)).map(({ seq }) => seq),
    [4, 5],
  )
  consumer.socket.close()
  await consumer.closed
})

test('[PLC-27] cursors that cannot be served close with 1000 and a reason', async () => {
  await using plc = await directory()
  await plc.register(2)
  const reasonFor = async (cursor: number) => {
    const { code, reason } = await consume(`${plc.address}?cursor=${cursor}`).closed
    return [code, reason]
  }
  assert.deepEqual(await reasonFor(3), [1000, 'FutureCursor'])
  plc.clock.advance(7 * DAY_MS + 1)
  assert.deepEqual(await reasonFor(0), [1000, 'OutdatedCursor'])
  const quiet = consume(`${plc.address}?cursor=2`)
  await quiet.opened
  await plc.register(1)
  assert.equal((await quiet.until(1))[0]!['seq'], 3)
  quiet.socket.close()
  await quiet.closed
})

test('[PLC-28] a cursor that is none is refused before the handshake, and so is another path', async () => {
  await using plc = await directory()
  const statusOf = async (path: string) => {
    const response = await fetch(`${plc.server.url}${path}`)
    await response.body?.cancel()
    return response.status
  }
  assert.equal(await statusOf('/export/stream'), 426)
  for (const cursor of ['abc', '-1', '1.9', '', '99999999999999999999']) {
    const consumer = consume(`${plc.address}?cursor=${cursor}`)
    const { code } = await consumer.closed
    assert.equal(code, 1006)
  }
  assert.equal((await consume(plc.address.replace('/stream', '')).closed).code, 1006)
})
