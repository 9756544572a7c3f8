import assert from 'node:assert/strict'
import test from 'node:test'
import { createMetrics } from './metrics.ts'

test('metrics carry the prefix, and are answered at /metrics only', async () => {
  const metrics = createMetrics({ prefix: 'pds_' })
  const writes = metrics.counter({ name: 'writes_total', help: 'Writes.', labelNames: ['kind'] })
  writes.inc({ kind: 'create' })
  metrics.gauge({ name: 'accounts', help: 'Accounts.' }).set(7)
  metrics.histogram({ name: 'seconds', help: 'Time.', buckets: [1] }).observe(0.5)
  const response = await metrics.fetch(new Request('http://localhost/metrics'))
  assert.match(response.headers.get('content-type')!, /^text\/plain/)
  const text = await response.text()
  assert.match(text, /pds_writes_total\{kind="create"\} 1/)
  assert.match(text, /pds_accounts 7/)
  assert.match(text, /pds_seconds_bucket\{le="1"\} 1/)
  assert.equal((await metrics.fetch(new Request('http://localhost/'))).status, 404)
})

test('two services can have metrics of one name in one process', () => {
  const one = createMetrics()
  const other = createMetrics()
  one.gauge({ name: 'same', help: 'Of both.' })
  assert.doesNotThrow(() => other.gauge({ name: 'same', help: 'Of both.' }))
  assert.throws(() => other.gauge({ name: 'same', help: 'Of both.' }))
})
