import assert from 'node:assert/strict'
import test from 'node:test'
import { loadConfig } from '@imago/service'
import { jetstreamConfig } from './config.ts'

test('without an environment it listens at 6008 and follows the relay of this machine', () => {
  const { listen, relayUrl, beginAt } = loadConfig(jetstreamConfig, {})
  assert.deepEqual([listen.port, relayUrl, beginAt], [6008, 'http://localhost:2470', 'oldest'])
})

test('names of other implementations are understood, and strange ones refused', () => {
  const env = { JETSTREAM_LISTEN_ADDR: '127.0.0.1:7000', JETSTREAM_EVENT_TTL: '24h' }
  const { listen, retentionMs } = loadConfig(jetstreamConfig, env)
  assert.deepEqual([listen, retentionMs], [{ hostname: '127.0.0.1', port: 7000 }, 86_400_000])
  assert.throws(
    () => loadConfig(jetstreamConfig, { JETSTREAM_RELAY: 'x' }),
    /did you mean JETSTREAM_RELAY_URL/,
  )
})
