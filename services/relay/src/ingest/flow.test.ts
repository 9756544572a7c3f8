import assert from 'node:assert/strict'
import test from 'node:test'
import { createLogger, createMetrics } from '@imago/service'
import { createManualClock } from '@imago/sim/clock'
import { createDrops } from './drops.ts'
import { createLanes } from './lanes.ts'
import { originOf, passOn } from './log-entry.ts'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

test('a lane is in order, and lanes do not wait for one another', async () => {
  const lanes = createLanes()
  const done: string[] = []
  const gate = Promise.withResolvers<void>()
  lanes.run('a', async () => {
    await gate.promise
    done.push('a1')
  })
  lanes.run('a', async () => void done.push('a2'))
  lanes.run('b', async () => void done.push('b1'))
  await turn()
  assert.deepEqual([done, lanes.size], [['b1'], 1])
  gate.resolve()
  await turn()
  assert.deepEqual([done, lanes.size], [['b1', 'a1', 'a2'], 0])
})

test('drops are counted all, remembered some, and logged few', async () => {
  const clock = createManualClock()
  const lines: string[] = []
  const metrics = createMetrics()
  const drops = createDrops({
    logger: createLogger({
      name: 'relay',
      pretty: false,
      destination: { write: (line) => void lines.push(line) },
    }),
    metrics,
    now: clock.now,
  })
  const did = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz'
  for (let seq = 1; seq <= 8; seq++)
    drops.note({ host: 'a.example.com', check: 'signature', reason: 'forged', did, seq })
  drops.note({ host: 'a.example.com', check: 'rev-advances', reason: 'seen', did, seq: 9 })
  assert.equal(lines.length, 1)
  clock.advance(60_000)
  drops.note({ host: 'a.example.com', check: 'signature', reason: 'forged', did, seq: 10 })
  assert.equal(lines.length, 2)
  assert.deepEqual(
    drops.about(did).map(({ seq }) => seq),
    [6, 7, 8, 9, 10],
  )
  assert.deepEqual(drops.about('did:web:nobody.example.com'), [])
  assert.match(await metrics.text(), /dropped_events_total\{host="a.example.com",check="signature"\} 9/)
  for (let i = 0; i < 10_001; i++)
    drops.note({
      host: 'a.example.com',
      check: 'rev-advances',
      reason: 'seen',
      did: `did:web:d${i}.example.com`,
    })
  assert.deepEqual(drops.about(did), [], 'the longest unheard of are forgotten')
})

test('an entry says where it came from', () => {
  for (const origin of [
    { host: 'pds.example.com', seq: 42 },
    { host: 'localhost:2583', seq: 1, upstream: { active: false, status: 'a b\n{"c"}' } },
    { host: 'localhost:2583', seq: 2 ** 53 - 1, upstream: { active: true } },
  ])
    assert.deepEqual(originOf(passOn(origin, new Uint8Array()).key), origin)
  for (const key of ['', 'did:plc:ewvi7nxzyoun6zhxrhs64oiz', 'pds.example.com x'])
    assert.throws(() => originOf(key), /the log has an entry with the key/)
})
