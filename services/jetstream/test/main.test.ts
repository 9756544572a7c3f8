import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { serve } from '@imago/service'
import type { Did } from '@imago/syntax'
import { createFakeRelay } from './fake-relay.ts'
import { subscriber } from './subscriber.ts'
import { startJetstream, temporaryFolder } from './test-jetstream.ts'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const ALICE: Did = 'did:plc:alice'

interface Process extends AsyncDisposable {
  readonly url: string
  /** Ends it without a chance to do anything more. */
  kill(): Promise<void>
}

/** Runs the process until it listens. */
async function start(env: Record<string, string>): Promise<Process> {
  const child = spawn(process.execPath, [main], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const kill = async () => {
    child.kill('SIGKILL')
    await exited
  }
  for await (const line of createInterface(child.stdout)) {
    const { msg, url } = JSON.parse(line)
    if (msg === 'listening') return { url, kill, [Symbol.asyncDispose]: kill }
  }
  throw new Error('it ended before it listened')
}

test('the process runs alone; killed by SIGKILL, it leaves a folder that has every event once', async () => {
  using folder = temporaryFolder()
  const relay = createFakeRelay()
  await using relayServer = await serve({
    fetch: () => new Response('relay'),
    upgrade: relay.upgrade,
    hostname: '127.0.0.1',
    port: 0,
  })
  const env = {
    JETSTREAM_RELAY_URL: relayServer.url,
    JETSTREAM_DATA_DIR: folder.path,
    JETSTREAM_ADDR: '127.0.0.1:0',
  }
  const happen = (from: number, to: number) => {
    for (let i = from; i < to; i++)
      relay.commit(ALICE, [
        [`com.example.note/${i}a`, { i }],
        [`com.example.note/${i}b`, { i }],
      ])
  }
  happen(0, 100)
  await using first = await start(env)
  {
    await using early = await subscriber(first.url, '?cursor=0')
    await early.count(20)
    happen(100, 150)
    await first.kill()
  }
  await using second = await startJetstream({ relayUrl: relayServer.url, dataDirectory: folder.path })
  {
    await using client = await subscriber(second.url, '?cursor=0')
    const events = await client.count(300)
    const keys = events.map(({ commit }) => commit.rkey)
    assert.deepEqual(keys, Array.from({ length: 150 }, (_, i) => [`${i}a`, `${i}b`]).flat())
  }
})
