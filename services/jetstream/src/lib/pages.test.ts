import assert from 'node:assert/strict'
import test from 'node:test'
import { answerPage, type Health } from './pages.ts'

const health: Health = {
  version: '1',
  healthy: true,
  newestTimeMicros: 2,
  oldestTimeMicros: 1,
  relaySeq: null,
  subscribers: 0,
}

test('/_health says 503 when events can no longer be stored', async () => {
  const request = new Request('http://jetstream.test/_health')
  assert.equal(answerPage(request, () => health).status, 200)
  const unwell = answerPage(request, () => ({ ...health, healthy: false }))
  assert.equal(unwell.status, 503)
  const { healthy: _, ...facts } = health
  assert.deepEqual(await unwell.json(), facts)
})
